import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { exportedNames, importedNames } from "./components.ts";

const SDK = dirname(dirname(fileURLToPath(import.meta.url)));
const place = mkdtempSync(join(tmpdir(), "trunkline-template-"));
after(() => rmSync(place, { recursive: true, force: true }));

/** What a plugin is made for. Secrets go out with requests. */
interface Wants {
  readonly http: boolean;
  readonly kv: boolean;
  readonly secrets: boolean;
}

/** A plugin as `trunkline plugin new` would lay it out. */
function plugin(wants: Wants): string {
  const folder = mkdtempSync(join(place, "plugin-"));
  cpSync(join(SDK, "template"), folder, { recursive: true });
  for (const entry of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, entry);
    if (statSync(path).isFile()) {
      writeFileSync(path, filled(readFileSync(path, "utf8"), wants));
    }
  }
  mkdirSync(join(folder, "node_modules/@trunkline"), { recursive: true });
  symlinkSync(SDK, join(folder, "node_modules/@trunkline/sdk"));
  mkdirSync(join(folder, "node_modules/.bin"));
  symlinkSync(join(SDK, "build/cli.mjs"), join(folder, "node_modules/.bin/trunkline-js-build"));
  return folder;
}

function filled(text: string, wants: Wants): string {
  const names: Record<string, string> = {
    name: "road-signs",
    snake_name: "road_signs",
    department: "traffic-police",
    version: "0.1.0",
  };
  const block = (text: string): string =>
    text.replace(/\{\{#(http|kv|secrets)\}\}([\s\S]*?)\{\{\/\1\}\}/g, (_, want: keyof Wants, inside: string) =>
      wants[want] ? block(inside) : "",
    );
  return block(text)
    .replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
      const value = names[name];
      assert.ok(value !== undefined, `the template may not hold {{${name}}}`);
      return value;
    });
}

function run(folder: string, ...words: string[]): string {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync("npm", ["run", "--silent", ...words], { cwd: folder, encoding: "utf8", env });
  assert.equal(status, 0, stdout + stderr);
  return stdout + stderr;
}

test("the template names the SDK's package as it is packed", () => {
  const { version } = JSON.parse(readFileSync(join(SDK, "package.json"), "utf8")) as { version: string };
  assert.match(readFileSync(join(SDK, "template/package.json"), "utf8"), new RegExp(`"file:trunkline-sdk-${version}\\.tgz"`));
  assert.match(readFileSync(join(SDK, "template/README.md"), "utf8"), new RegExp(`trunkline-sdk-${version}\\.tgz`));
});

/** What the build says of a plugin whose entry module is this. */
function refusal(entry: string, options: { file?: string; wit?: string; untyped?: boolean } = {}): string {
  const folder = plugin({ http: false, kv: false, secrets: false });
  rmSync(join(folder, "src/index.ts"));
  writeFileSync(join(folder, "src", options.file ?? "index.ts"), entry);
  if (options.wit !== undefined) {
    writeFileSync(join(folder, "wit/plugin.wit"), options.wit);
  }
  if (options.untyped) {
    rmSync(join(folder, "tsconfig.json"));
  }
  const { status, stdout, stderr } = spawnSync("npm", ["run", "--silent", "build"], { cwd: folder, encoding: "utf8" });
  assert.notEqual(status, 0, stdout);
  return stdout + stderr;
}

test("what cannot be built is refused with what, where and why", () => {
  const find = `find: () => ({ number: "1", text: "one" })`;
  const javascript = { file: "index.js" };
  assert.match(
    refusal(`import type { Entries } from "./wit.d.ts";\nexport const entries: Entries = {};`),
    /src\/index\.ts\(2,14\): .*Property 'find' is missing/,
  );
  assert.match(refusal("export const other = 1;"), /src\/wit\.check\.ts.*Property 'entries' is missing/);
  assert.match(refusal("export const entries = { find: () => 1 };", javascript), /src\/wit\.check\.ts.*Type 'number' is not assignable to type 'Entry'/s);
  assert.match(refusal("export const other = 1;", { ...javascript, untyped: true }), /the entry module is not what the WIT says: .*"entries"/);
  assert.match(
    refusal(`import "node:fs";\nexport const entries = { ${find} };`, javascript),
    /src\/index\.js:1:8: node:fs is not there in a plugin: .* use @trunkline\/sdk/,
  );
  assert.match(
    refusal(`export const entries = { ${find} };\nthrow new Error("too early");`, javascript),
    /the component cannot be made: .*too early/s,
  );
  assert.match(
    refusal("", { wit: "package a:b@1.0.0;\ninterface c {\n  resource d;\n}\nworld plugin { export c; }" }),
    /plugin\.wit:3: a plugin cannot offer resources/,
  );
});

for (const wants of [
  { http: false, kv: false, secrets: false },
  { http: false, kv: true, secrets: false },
  { http: true, kv: false, secrets: false },
  { http: true, kv: true, secrets: false },
  { http: true, kv: true, secrets: true },
]) {
  test(`a plugin that wants ${JSON.stringify(wants)} passes its tests, builds and imports no more than that`, () => {
    const folder = plugin(wants);
    assert.match(run(folder, "test"), /# fail 0/);
    run(folder, "build");
    const component = readFileSync(join(folder, "dist/road-signs.wasm"));
    assert.deepEqual(exportedNames(component), ["traffic-police:road-signs/entries@0.1.0"]);
    const http = ["wasi:clocks/monotonic-clock", "wasi:http/outgoing-handler", "wasi:http/types", "wasi:io/error", "wasi:io/poll", "wasi:io/streams"];
    assert.deepEqual(
      importedNames(component).map((name) => name.replace(/@.*/, "")).sort(),
      [
        "trunkline:host/config",
        "trunkline:host/log",
        ...(wants.http ? ["trunkline:host/call", ...http] : []),
        ...(wants.kv ? ["trunkline:host/kv"] : []),
        ...(wants.secrets ? ["trunkline:host/secrets"] : []),
      ].sort(),
    );
  });
}
