import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { declare, exportsOf } from "../build/wit/declare.mjs";
import { readFolder } from "../build/wit/read.mjs";

const SDK = dirname(dirname(fileURLToPath(import.meta.url)));
const place = mkdtempSync(join(tmpdir(), "trunkline-wit-"));
after(() => rmSync(place, { recursive: true, force: true }));

function folder(files: Record<string, string>): string {
  const root = mkdtempSync(join(place, "wit-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

/** The declarations without the lines that all begin with. */
function declared(files: Record<string, string>): string {
  return declare(readFolder(folder(files)), "plugin").split("\n\n").slice(1).join("\n\n");
}

test("every type has the form in which QuickJS gives and takes it", () => {
  const text = declared({
    "all.wit": `
      /// All there is.
      package a:all@1.0.0;
      interface kinds {
        /* no comment of the interface's */
        type day = string;
        record citizen {
          /// As written.
          date-of-birth: tuple<u16, u8, u8>, phones: list<string>, district: option<day>, photo: list<u8>,
          maybe: option<option<bool>>, moods: list<option<mood>>, tried: result<u64, string>, %type: char,
        }
        variant shape { dot, circle(f64), polygon(list<tuple<s32, s32>>) }
        enum mood { calm, very-angry }
        flags channels { phone, e-mail }
        /// Gives back.
        ///
        /// What it takes.
        echo: func(citizen: citizen, %default: option<shape>) -> result<channels, mood>;
        ping: func();
        bare: func() -> result;
        texts: func() -> result<_, string>;
      }
      world plugin { export kinds; export loose: func(a: kinds-less) -> bool; type kinds-less = u8; }`,
  });
  assert.equal(
    text,
    `export interface Kinds {
  /**
   * Gives back.
   *
   * What it takes.
   *
   * @throws {Refusal<Mood>}
   */
  echo(citizen: Citizen, default_: Shape | null): Channels;

  ping(): void;

  /** @throws {Refusal<undefined>} */
  bare(): void;

  /** @throws {Refusal<string>} */
  texts(): void;
}

export type KindsLess = number;

export type Mood =
  | "calm"
  | "very-angry";

export interface Citizen {
  /** As written. */
  dateOfBirth: [number, number, number];
  phones: string[];
  district: Day | null;
  photo: Uint8Array;
  maybe: { tag: "some"; val: boolean | null } | { tag: "none" };
  moods: (Mood | null)[];
  tried: { tag: "ok"; val: number } | { tag: "err"; val: string };
  type: string;
}

export type Shape =
  | { tag: "dot" }
  | { tag: "circle"; val: number }
  | { tag: "polygon"; val: [number, number][] };

export interface Channels {
  phone: boolean;
  eMail: boolean;
}

export type Day = string;

/** What the entry module exports. */
export interface Plugin {
  readonly kinds: Kinds;
  readonly loose: (a: KindsLess) => boolean;
}
`,
  );
});

test("types come from other interfaces, files and packages, and same names are told apart", () => {
  const files = {
    "a.wit": "package a:b@1.2.0;\ninterface one { use two.{thing as other}; use c:d/e@0.1.0.{far}; record thing { x: other, y: far } f: func() -> thing; }",
    "b.wit": "interface two { record thing { z: bool } g: func() -> thing; }\nworld plugin { export one; export a:b/two@1.2.0; }",
    "deps/cd/e.wit": "package c:d@0.1.0;\n@since(version = 0.1.0)\ninterface e { enum far { away } }",
  };
  const text = declared(files);
  assert.match(text, /export interface One \{\n {2}f\(\): Thing;\n\}/);
  assert.match(text, /export interface Two \{\n {2}g\(\): ThingOfTwo;\n\}/);
  assert.match(text, /export interface Thing \{\n {2}x: ThingOfTwo;\n {2}y: Far;\n\}/);
  assert.deepEqual(exportsOf(readFolder(folder(files)), "plugin"), [
    { name: "one", isInterface: true },
    { name: "two", isInterface: true },
  ]);
});

test("what a plugin cannot offer is refused with its line", () => {
  const world = "world plugin { export c; }";
  for (const [text, message] of [
    [`package a:b;\ninterface c {\n  f: async func();\n}\n${world}`, /x\.wit:3: a plugin's functions are not async/],
    [`package a:b;\ninterface c {\n  f: func() -> stream<u8>;\n}\n${world}`, /x\.wit:3: a plugin cannot offer a stream/],
    [`package a:b;\ninterface c {\n  f: func(x: borrow<y>);\n}\n${world}`, /x\.wit:3: a plugin cannot offer resources/],
    [`package a:b;\ninterface c {\n  f: func(x: y);\n}\n${world}`, /no type y is declared here/],
    [`package a:b;\ninterface c { f: func() }\n${world}`, /x\.wit:2: expected ;, found }/],
    [`interface c { }\n${world}`, /begin one with `package department:name@1\.0\.0;`/],
    ["package a:b;\nworld other { }", /the package has no world plugin; it has other/],
    ["package a:b;\nworld plugin { export c:d/e@1.0.0; }", /no interface c:d\/e@1\.0\.0 is here: put its package into wit\/deps/],
    ["package a:b;\n§", /x\.wit:2: "§" is no part of WIT/],
  ] as const) {
    assert.throws(() => declared({ "x.wit": text }), message, text);
  }
});

test("the host's interfaces are those of the repository", () => {
  assert.equal(
    readFileSync(join(SDK, "wit/host.wit"), "utf8"),
    readFileSync(join(SDK, "../../wit/host-0.1.0/host.wit"), "utf8"),
  );
});
