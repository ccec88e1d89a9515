/** How Node finds and reads a plugin's modules under test. */

import { readFile } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { transform } from "esbuild";

const SDK = dirname(dirname(fileURLToPath(import.meta.url)));

/** `trunkline:host/kv@0.1.0` and `real:http/types@0.2.6`. */
const OF_THE_HOST = /^(trunkline|real):([a-z-]+)\/([a-z-]+)@/;

/** What a plugin's module may name, and the SDK's module that has it. */
const GLOBALS = { Date: "date", console: "console", crypto: "crypto", TextEncoder: "text", TextDecoder: "text" };

export async function resolve(specifier, context, next) {
  const parts = OF_THE_HOST.exec(specifier);
  if (parts === null) {
    return next(specifier, context);
  }
  const [, , of, name] = parts;
  return {
    url: pathToFileURL(join(SDK, "testing/modules", of === "host" ? `${name}.ts` : `${of}-${name}.ts`)).href,
    shortCircuit: true,
  };
}

export async function load(url, context, next) {
  const path = url.startsWith("file:") ? fileURLToPath(url) : "";
  if (/(?<!\.d)\.ts$/.test(path)) {
    const text = await readFile(path, "utf8");
    const { code } = await transform(withGlobals(text, path), {
      format: "esm",
      loader: "ts",
      sourcefile: path,
      sourcemap: "inline",
      target: "node20",
    });
    return { format: "module", source: code, shortCircuit: true };
  }
  const loaded = await next(url, context);
  return isOfThePlugin(path) && loaded.format === "module"
    ? { ...loaded, source: withGlobals(String(loaded.source), path) }
    : loaded;
}

/** In front of the first line, so that every place stays where it was. */
function withGlobals(text, path) {
  if (!isOfThePlugin(path)) {
    return text;
  }
  const imports = Object.entries(GLOBALS)
    .filter(([name]) => new RegExp(`\\b${name}\\b`).test(text) && !new RegExp(`(class|function|const|let|var)\\s+${name}\\b`).test(text))
    .map(([name, module]) => `import { ${name} } from ${JSON.stringify(pathToFileURL(join(SDK, "src/globals", `${module}.ts`)).href)};`);
  return imports.join("") + text;
}

/** What will run in the component: not the SDK, not a package, not a test. */
function isOfThePlugin(path) {
  return (
    /\.([jt]s|mjs)$/.test(path) &&
    !path.startsWith(SDK + sep) &&
    !path.includes(`${sep}node_modules${sep}`) &&
    !/\.test\.([jt]s|mjs)$/.test(path)
  );
}
