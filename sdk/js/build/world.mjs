/**
 * The WIT that the component is made for: the plugin's own world, and an import for each interface of
 * the host that its code reaches.
 */

import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SDK } from "./project.mjs";

/** The world's name; a plugin's own is another. */
export const WORLD = "trunkline-js-build";

/** Writes the WIT, hands its folder to `use`, and removes it. */
export async function withWorld(project, imports, wit, use) {
  const folder = mkdtempSync(join(tmpdir(), "trunkline-js-build-"));
  try {
    cpSync(project.wit, folder, { recursive: true });
    const deps = join(folder, "deps");
    mkdirSync(deps, { recursive: true });
    if (![...wit.interfaces.keys()].some((name) => name.startsWith("trunkline:host/"))) {
      cpSync(join(SDK, "wit/host.wit"), join(deps, "trunkline-host.wit"));
    }
    for (const name of readdirSync(join(SDK, "wit/real"))) {
      cpSync(join(SDK, "wit/real", name), join(deps, `real-${name}`));
    }
    const lines = imports.map((name) => `  import ${name};\n`).join("");
    writeFileSync(join(folder, `${WORLD}.wit`), `world ${WORLD} {\n  include ${project.world};\n${lines}}\n`);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
