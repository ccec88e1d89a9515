#!/usr/bin/env node
/** `trunkline-js-build`: type-checks a plugin, bundles it and makes its component. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { BuildError } from "./errors.mjs";
import { project } from "./project.mjs";
import { declare, exportsOf } from "./wit/declare.mjs";
import { readFolder } from "./wit/read.mjs";
import { WitError } from "./wit/tokens.mjs";

const HELP = `Builds a Trunkline plugin written in JavaScript or TypeScript.

Usage: trunkline-js-build [FOLDER] [OPTIONS]

Reads wit/, writes src/wit.d.ts from it, checks the types, bundles src/index.ts (or .js) and
writes dist/NAME.wasm, with NAME from package.json. The component imports what the code reaches.

Options:
  --types         only write src/wit.d.ts and check the types
  --small         a component a quarter smaller, and slower where it computes
  --wit FOLDER    where the interface is         [wit]
  --world NAME    which of its worlds            [plugin]
  --entry FILE    the entry module               [src/index.ts]
  --out FILE      where the component goes       [dist/NAME.wasm]
  -h, --help      print this`;

/** The first Node that this runs on. */
const NODE_MAJOR_MIN = 20;

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      types: { type: "boolean" },
      small: { type: "boolean" },
      wit: { type: "string" },
      world: { type: "string" },
      entry: { type: "string" },
      out: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
    throw new BuildError(`Node ${process.versions.node} is too old: install Node ${NODE_MAJOR_MIN} or newer`);
  }
  const plugin = project(positionals[0] ?? ".", values);
  const wit = readFolder(plugin.wit);
  write(plugin.declarations, declare(wit, plugin.world));
  const exports = exportsOf(wit, plugin.world);
  check(plugin);
  if (values.types) {
    return;
  }
  const began = performance.now();
  const [{ bundle, keep }, { withWorld }, { component }] = await Promise.all([
    import("./bundle.mjs"),
    import("./world.mjs"),
    import("./component.mjs"),
  ]);
  const { text, imports } = await bundle(plugin, exports);
  const bytes = await withWorld(plugin, imports, wit, (folder) => component(text, folder, plugin));
  mkdirSync(dirname(plugin.component), { recursive: true });
  keep(text, plugin);
  const beside = `${plugin.component}.new`;
  writeFileSync(beside, bytes);
  renameSync(beside, plugin.component);
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  console.log(
    `${relative(process.cwd(), plugin.component)}: ${(bytes.length / 1e6).toFixed(2)} MB in ${seconds} s, ` +
      `imports ${imports.map((name) => name.replace(/^real:/, "wasi:")).sort().join(", ") || "nothing"}`,
  );
}

/** Checks the plugin's types, and that its entry module is what its WIT says. */
function check(plugin) {
  if (!existsSync(plugin.tsconfig)) {
    return;
  }
  const require = createRequire(import.meta.url);
  const shape = join(dirname(plugin.declarations), "wit.check.ts");
  const entry = `./${relative(dirname(shape), plugin.entry)}`;
  const entryModule = plugin.entry.endsWith(".ts") ? entry : entry.replace(/\.m?js$/, "");
  write(
    shape,
    `// Made by trunkline-js-build: fails to compile when the entry module is not what the WIT says.\n` +
      `import * as plugin from ${JSON.stringify(entryModule)};\nimport type { Plugin } from "./wit.d.ts";\n\nplugin satisfies Plugin;\n`,
  );
  const tsc = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
  const { status, error } = spawnSync(process.execPath, [tsc, "-p", plugin.tsconfig, "--noEmit"], { stdio: "inherit" });
  if (error) {
    throw new BuildError(`tsc cannot be run: ${error.message}`);
  }
  if (status !== 0) {
    throw new BuildError("the types do not fit; nothing was built");
  }
}

/** Writes a file unless it holds the text already, so that nothing that watches it stirs. */
function write(path, text) {
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
    writeFileSync(path, text);
  }
}

main().catch((error) => {
  const known = error instanceof BuildError || error instanceof WitError || error.code?.startsWith("ERR_PARSE_ARGS");
  console.error(`error: ${known ? error.message : error.stack}`);
  process.exitCode = 1;
});
