/** What is built: a plugin's folder, and where things are in it. */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildError } from "./errors.mjs";

/** The SDK's own folder. */
export const SDK = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where the entry module is looked for. */
const ENTRIES = ["src/index.ts", "src/index.js", "src/index.mjs"];

/** Finds a plugin's parts; what is given on the command line goes before what is usual. */
export function project(folder, given = {}) {
  const root = resolve(folder);
  const manifest = join(root, "package.json");
  if (!existsSync(manifest)) {
    throw new BuildError(`${root} has no package.json; run this in a plugin's folder`);
  }
  const { name = "" } = JSON.parse(readFileSync(manifest, "utf8"));
  const plugin = name.replace(/^.*\//, "");
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(plugin)) {
    throw new BuildError(`${manifest} names the package ${JSON.stringify(name)}: name it as the plugin, in kebab-case`);
  }
  const entries = given.entry === undefined ? ENTRIES : [given.entry];
  const entry = entries.map((path) => resolve(root, path)).find((path) => existsSync(path));
  if (entry === undefined) {
    throw new BuildError(`${root} has no entry module: write ${entries[0]}`);
  }
  const wit = resolve(root, given.wit ?? "wit");
  if (!existsSync(wit)) {
    throw new BuildError(`${root} has no interface: write ${join(given.wit ?? "wit", `${plugin}.wit`)}`);
  }
  return {
    root,
    plugin,
    entry,
    wit,
    world: given.world ?? "plugin",
    small: given.small ?? false,
    declarations: join(dirname(entry), "wit.d.ts"),
    tsconfig: join(root, "tsconfig.json"),
    component: resolve(root, given.out ?? join("dist", `${plugin}.wasm`)),
  };
}
