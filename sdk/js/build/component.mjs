/**
 * The component: the bundle in QuickJS, with the SDK's imports of WASI made real.
 *
 * `componentize-qjs` runs the module while it builds, so that a call begins with the program loaded.
 * For that it gives the program a WASI of its own, and two things follow from it that are mended here:
 *
 * - What QuickJS itself imports of WASI is replaced by stubs that stop the program, since a plugin has
 *   no files and no environment; and an import of the same interface by the plugin's own code would
 *   clash with it. The SDK therefore imports its part of WASI as `real:`, and only the finished
 *   component says `wasi:`. Both words have four letters, so no length in the binary changes.
 * - The function that loads the program, `init`, is still exported. It is no part of the plugin's
 *   interface and is taken out.
 */

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { componentize } from "componentize-qjs";
import { COMPONENT, MODULE, binary, custom, customName, joined, leb, number, sections } from "./binary.mjs";
import { BuildError } from "./errors.mjs";
import { witFiles } from "./wit/read.mjs";
import { WORLD } from "./world.mjs";

/** The custom section with the plugin's WIT, comments and all. */
const WIT_SECTION = "trunkline:wit";

/** Custom sections that only help to debug QuickJS. */
const DROPPED = new Set(["component-name", "name", "producers"]);

/** The function that loads the program while the component is built. */
const INIT = "init";

/** The sort of a function among a component's exports. */
const SORT_FUNCTION = 1;

/** Makes the component of a bundle, for the WIT in a folder. */
export async function component(text, witFolder, project) {
  let made;
  try {
    made = await componentize({
      jsSource: text,
      optSize: project.small,
      stubWasi: true,
      sync: true,
      witPath: witFolder,
      world: WORLD,
    });
  } catch (error) {
    throw new BuildError(`the component cannot be made: ${error.message ?? error}`, { cause: error });
  }
  const wit = witFiles(project.wit).map((file) => readFileSync(file));
  return finished(made.component, Buffer.concat(wit));
}

/** The component as it is shipped. */
export function finished(bytes, wit) {
  const { header, sections: found } = sections(real(bytes));
  const kept = withoutInit(found).filter(({ id, body }) => id !== COMPONENT.custom || !isDropped(body));
  kept.push({ id: COMPONENT.custom, body: custom(WIT_SECTION, wit) });
  return binary(header, kept);
}

/** The binary with `wasi:` where `real:` stands for it: in names of imports, never in a program's own bytes. */
function real(bytes) {
  const { header, sections: found } = sections(bytes);
  const isModule = header[6] === 0;
  const mended = found.map(({ id, body }) => {
    if (!isModule && (id === COMPONENT.module || id === COMPONENT.component)) {
      return { id, body: real(body) };
    }
    if (isModule && (id === MODULE.code || id === MODULE.data)) {
      return { id, body };
    }
    return { id, body: renamed(body) };
  });
  return binary(header, isModule ? mended : mended.filter(({ id, body }) => id !== COMPONENT.custom || !isDropped(body)));
}

function renamed(body) {
  const bytes = Buffer.from(body);
  for (const name of ["real:io/", "real:clocks/", "real:random/", "real:http/"]) {
    for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at)) {
      bytes.write("wasi", at, "latin1");
    }
  }
  return new Uint8Array(bytes);
}

/** The sections without the export of `init`; an exported function that follows it moves up by one. */
function withoutInit(found) {
  let removed;
  let functions = 0;
  return found.flatMap(({ id, body }) => {
    if (id === COMPONENT.alias) {
      functions += aliasedFunctions(body);
      return [{ id, body }];
    }
    if (id !== COMPONENT.export) {
      return [{ id, body }];
    }
    const entries = exportsOf(body);
    const left = [];
    for (const entry of entries) {
      if (entry.sort !== SORT_FUNCTION) {
        left.push(entry.bytes);
        continue;
      }
      if (entry.name === INIT && removed === undefined) {
        removed = functions;
        continue;
      }
      functions += 1;
      left.push(removed !== undefined && entry.index >= removed ? entry.movedUp() : entry.bytes);
    }
    return left.length === 0 ? [] : [{ id, body: joined([leb(left.length), ...left]) }];
  });
}

/** Aliases of exported functions of instances, each of which is one function more. */
function aliasedFunctions(body) {
  const [count, from] = number(body, 0);
  let at = from;
  let functions = 0;
  for (let index = 0; index < count; index += 1) {
    const sort = body[at];
    at += sort === 0 ? 2 : 1;
    const target = body[at];
    if (target > 1) {
      throw new BuildError("componentize-qjs makes components of a form that this version of the SDK does not know");
    }
    const [, named] = number(body, at + 1);
    const [length, text] = number(body, named);
    at = text + length;
    functions += sort === SORT_FUNCTION ? 1 : 0;
  }
  return functions;
}

/** The entries of an export section: a name, a sort, an index, and perhaps a type. */
function exportsOf(body) {
  const [count, from] = number(body, 0);
  const entries = [];
  let at = from;
  for (let index = 0; index < count; index += 1) {
    const begin = at;
    // 0 or 1 before a plain name; 2 has options behind it, which nothing here makes.
    const form = body[at];
    const [length, text] = number(body, at + 1);
    const name = new TextDecoder().decode(body.subarray(text, text + length));
    const sort = body[text + length];
    const indexAt = text + length + (sort === 0 ? 2 : 1);
    const [of, after] = number(body, indexAt);
    if (form > 1 || body[after] !== 0) {
      throw new BuildError("componentize-qjs makes components of a form that this version of the SDK does not know");
    }
    at = after + 1;
    const end = at;
    entries.push({
      name,
      sort,
      index: of,
      bytes: body.subarray(begin, end),
      movedUp: () => joined([body.subarray(begin, indexAt), leb(of - 1), body.subarray(after, end)]),
    });
  }
  return entries;
}

function isDropped(body) {
  return DROPPED.has(customName(body));
}
