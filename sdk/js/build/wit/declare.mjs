/**
 * TypeScript declarations of what a world exports: the types as the QuickJS runtime gives and takes
 * them, and one interface `Plugin` that the entry module has to be.
 */

import { full } from "./read.mjs";
import { WitError } from "./tokens.mjs";

const PLAIN = {
  bool: "boolean",
  char: "string",
  string: "string",
};

/** The text of `wit.d.ts` for a world. */
export function declare(wit, worldName) {
  const world = wit.worlds.get(worldName);
  if (world === undefined) {
    const there = [...wit.worlds.keys()].join(", ") || "none";
    throw new WitError(wit.package, 1, `the package has no world ${worldName}; it has ${there}`);
  }
  return new Writer(wit, world).text();
}

/** What the entry module exports for a world: names in camel case, and whether each is an interface. */
export function exportsOf(wit, worldName) {
  return wit.worlds.get(worldName).exports.map((found) => ({
    name: camel(local(found.name)),
    isInterface: found.kind !== "function",
  }));
}

class Writer {
  #wit;
  #world;
  /** Names in TypeScript by where a type is declared. */
  #names = new Map();
  #taken = new Set(["Plugin"]);
  #queue = [];
  #parts = [];

  constructor(wit, world) {
    this.#wit = wit;
    this.#world = world;
  }

  text() {
    const own = { id: "", body: this.#world };
    for (const type of this.#world.types) {
      this.#nameOf(own, type.name);
    }
    const members = this.#world.exports.map((found) => this.#member(own, found));
    while (this.#queue.length > 0) {
      const { scope, type, name } = this.#queue.shift();
      this.#parts.push(docs(type.docs, "") + this.#typeText(scope, type, name));
    }
    const plugin = `/** What the entry module exports. */\nexport interface Plugin {\n${members.join("\n")}\n}`;
    return [
      "// Made of the plugin's WIT by trunkline-js-build: edit that, not this.\n" +
        "// An option is `null` where there is none; a 64-bit integer is a number, exact to 2^53.",
      ...this.#parts,
      plugin,
    ].join("\n\n").concat("\n");
  }

  #member(own, found) {
    const name = camel(local(found.name));
    if (found.kind === "function") {
      return `${docs(this.#functionDocs(own, found), "  ")}  readonly ${name}: ${this.#functionText(own, found)};`;
    }
    const scope =
      found.kind === "inline"
        ? { id: found.name, body: found }
        : this.#interface(full(this.#world.package, found.name));
    const type = this.#free(pascal(local(found.name)), "Functions");
    const functions = scope.body.functions.map(
      (one) => `${docs(this.#functionDocs(scope, one), "  ")}  ${camel(one.name)}${this.#functionText(scope, one, ": ")};`,
    );
    for (const one of scope.body.types) {
      this.#nameOf(scope, one.name);
    }
    this.#parts.push(`${docs(scope.body.docs, "")}export interface ${type} {\n${functions.join("\n\n")}\n}`);
    return `  readonly ${name}: ${type};`;
  }

  #interface(id) {
    const body = this.#wit.interfaces.get(id);
    if (body === undefined) {
      throw new WitError(this.#wit.package, 1, `no interface ${id} is here: put its package into wit/deps`);
    }
    return { id, body };
  }

  #functionText(scope, { parameters, result }, arrow = " => ") {
    const list = parameters.map(({ name, of }) => `${safe(camel(name))}: ${this.#value(scope, of)}`).join(", ");
    const given = result?.kind === "result" ? result.ok : result;
    return `(${list})${arrow}${given === undefined ? "void" : this.#value(scope, given)}`;
  }

  #functionDocs(scope, { docs: lines, result }) {
    if (result?.kind !== "result") {
      return lines;
    }
    const err = result.err === undefined ? "undefined" : this.#value(scope, result.err);
    return [...lines, ...(lines.length > 0 ? [""] : []), `@throws {Refusal<${err}>}`];
  }

  #typeText(scope, type, name) {
    switch (type.kind) {
      case "record": {
        const fields = type.fields.map(
          (field) => `${docs(field.docs, "  ")}  ${camel(field.name)}: ${this.#value(scope, field.of)};`,
        );
        return `export interface ${name} {\n${fields.join("\n")}\n}`;
      }
      case "variant": {
        const cases = type.cases.map((one) => {
          const val = one.of === undefined ? "" : `; val: ${this.#value(scope, one.of)}`;
          return `${docs(one.docs, "  ")}  | { tag: ${JSON.stringify(one.name)}${val} }`;
        });
        return `export type ${name} =\n${cases.join("\n")};`;
      }
      case "enum": {
        const cases = type.cases.map((one) => `${docs(one.docs, "  ")}  | ${JSON.stringify(one.name)}`);
        return `export type ${name} =\n${cases.join("\n")};`;
      }
      case "flags": {
        const flags = type.names.map((one) => `${docs(one.docs, "  ")}  ${camel(one.name)}: boolean;`);
        return `export interface ${name} {\n${flags.join("\n")}\n}`;
      }
      default:
        return `export type ${name} = ${this.#value(scope, type.of)};`;
    }
  }

  #value(scope, of) {
    switch (of.kind) {
      case "plain":
        return PLAIN[of.name] ?? "number";
      case "named":
        return this.#nameOf(scope, of.name);
      case "list":
        return of.of.kind === "plain" && of.of.name === "u8" ? "Uint8Array" : `${this.#part(scope, of.of)}[]`;
      case "option":
        // A plain null could not tell `some(none)` from `none`.
        return of.of.kind === "option"
          ? `{ tag: "some"; val: ${this.#value(scope, of.of)} } | { tag: "none" }`
          : `${this.#part(scope, of.of)} | null`;
      case "tuple":
        return `[${of.of.map((part) => this.#value(scope, part)).join(", ")}]`;
      case "result": {
        const side = (tag, val) => `{ tag: "${tag}"${val === undefined ? "" : `; val: ${this.#value(scope, val)}`} }`;
        return `${side("ok", of.ok)} | ${side("err", of.err)}`;
      }
      default:
        throw new Error(`no such type: ${of.kind}`);
    }
  }

  /** A type in front of `[]` or `|`. */
  #part(scope, of) {
    const text = this.#value(scope, of);
    return text.includes(" | ") ? `(${text})` : text;
  }

  /** The name in TypeScript of a type that a scope declares or uses. */
  #nameOf(scope, name) {
    for (const use of scope.body.uses) {
      const used = use.names.find((one) => one.as === name);
      if (used !== undefined) {
        return this.#nameOf(this.#interface(full(scope.body.package ?? this.#world.package, use.from)), used.name);
      }
    }
    const key = `${scope.id}#${name}`;
    const known = this.#names.get(key);
    if (known !== undefined) {
      return known;
    }
    const type = scope.body.types.find((one) => one.name === name);
    if (type === undefined) {
      throw new WitError(scope.id || this.#world.name, 1, `no type ${name} is declared here`);
    }
    const free = this.#free(pascal(name), `Of${pascal(local(scope.id || this.#world.name))}`);
    this.#names.set(key, free);
    this.#queue.push({ scope, type, name: free });
    return free;
  }

  #free(name, suffix) {
    let free = name;
    while (this.#taken.has(free)) {
      free += suffix;
    }
    this.#taken.add(free);
    return free;
  }
}

/** `health:notices/feed@1.0.0` is `feed` where it is exported. */
function local(name) {
  return name.replace(/^.*\//, "").replace(/@.*$/, "");
}

/** Words that no parameter of TypeScript may have as its name. */
const RESERVED = new Set(
  ("arguments await break case catch class const continue debugger default delete do else enum eval export extends " +
    "false finally for function if implements import in instanceof interface let new null package private protected " +
    "public return static super switch this throw true try typeof var void while with yield").split(" "),
);

function safe(name) {
  return RESERVED.has(name) ? `${name}_` : name;
}

/** `cubic-metres` is `cubicMetres`. */
export function camel(name) {
  return name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
}

function pascal(name) {
  const joined = camel(name);
  return joined[0].toUpperCase() + joined.slice(1);
}

function docs(lines, indent) {
  const text = lines.map((line) => line.replaceAll("*/", "* /"));
  if (text.length === 0) {
    return "";
  }
  return text.length === 1
    ? `${indent}/** ${text[0]} */\n`
    : `${indent}/**\n${text.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`;
}
