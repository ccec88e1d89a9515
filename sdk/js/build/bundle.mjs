/**
 * One module out of the plugin, what it imports, and those parts of the SDK that it reaches.
 *
 * The host's interfaces stay imports of the bundle. What is left of them after the unused was shaken
 * off is what the component has to import: nothing else knows it.
 */

import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { build } from "esbuild";
import { BuildError } from "./errors.mjs";
import { SDK } from "./project.mjs";

/** Globals that QuickJS lacks, or has without a host behind them. Those that are used are put in. */
const GLOBALS = ["console", "crypto", "date", "math", "text"].map((name) => join(SDK, "src/globals", `${name}.ts`));

/** Modules that the host gives. */
const OF_THE_HOST = /^(trunkline|real):/;

/** What a plugin cannot have, and what to use instead. */
const ABSENT = /^(node:.*|fs|path|http|https|net|child_process|process|os|crypto|stream|worker_threads)$/;

/** Bundles the plugin. Gives the text, and the interfaces that it imports. */
export async function bundle(project, exports) {
  const lines = exports.map(({ name, isInterface }) =>
    isInterface
      ? `export const ${name} = guard("${name}", plugin.${name});`
      : `const ${name}_ = guarded("${name}", plugin.${name}); export { ${name}_ as ${name} };`,
  );
  let made;
  try {
    made = await build({
      stdin: {
        contents: [
          `import * as plugin from ${JSON.stringify(project.entry)};`,
          `import { guard, guarded } from ${JSON.stringify(join(SDK, "src/guard.ts"))};`,
          ...lines,
        ].join("\n"),
        resolveDir: project.root,
        sourcefile: "exports of the plugin",
        loader: "js",
      },
      absWorkingDir: project.root,
      bundle: true,
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      target: "es2023",
      charset: "utf8",
      inject: GLOBALS,
      legalComments: "none",
      loader: { ".txt": "text" },
      logLevel: "silent",
      metafile: true,
      minifySyntax: true,
      plugins: [host()],
      treeShaking: true,
      write: false,
      outfile: join(project.root, "dist", `${project.plugin}.js`),
    });
  } catch (error) {
    throw new BuildError(told(error, project), { cause: error });
  }
  const missing = made.warnings.find(({ id }) => id === "import-is-undefined");
  if (missing !== undefined) {
    throw new BuildError(`the entry module is not what the WIT says: ${missing.text}`);
  }
  const [output] = Object.values(made.metafile.outputs);
  const imports = [...new Set(output.imports.filter((one) => one.external).map((one) => one.path))].sort();
  return { text: made.outputFiles[0].text, imports };
}

/** Keeps the bundle beside the component: the places in a logged stack are lines of it. */
export function keep(text, project) {
  writeFileSync(project.component.replace(/(\.wasm)?$/, ".js"), text);
}

function host() {
  return {
    name: "trunkline-host",
    setup(setup) {
      setup.onResolve({ filter: OF_THE_HOST }, ({ path }) => ({ path, external: true, sideEffects: false }));
      setup.onResolve({ filter: ABSENT }, ({ path, resolveDir }) => ({
        errors: [
          {
            text: `${path} is not there in a plugin: it has no files, sockets or processes; use @trunkline/sdk`,
            notes: [{ text: `imported in ${resolveDir}` }],
          },
        ],
      }));
    },
  };
}

function told(error, project) {
  if (!Array.isArray(error.errors)) {
    return String(error.message ?? error);
  }
  return error.errors
    .map(({ text, location }) =>
      location ? `${relative(project.root, join(project.root, location.file))}:${location.line}:${location.column + 1}: ${text}` : text,
    )
    .join("\n");
}
