/**
 * Reads WIT as far as a plugin's interface goes: packages, interfaces and worlds over value types.
 *
 * `componentize-qjs` reads it again and is the judge of it; this is for the TypeScript declarations.
 */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { WitError, tokens } from "./tokens.mjs";

/** Types without parts. */
const PLAIN = new Set(
  "bool u8 u16 u32 u64 s8 s16 s32 s64 f32 f64 char string".split(" "),
);

/** Reads a folder with its `deps`: interfaces by full name, and the worlds of its own package. */
export function readFolder(folder) {
  const own = readPackage(folder, witFiles(folder));
  const interfaces = new Map(own.interfaces);
  const deps = join(folder, "deps");
  for (const entry of list(deps)) {
    const files = entry.isDirectory() ? witFiles(join(deps, entry.name)) : [join(deps, entry.name)];
    for (const [name, found] of readPackage(deps, files.filter((file) => file.endsWith(".wit"))).interfaces) {
      interfaces.set(name, found);
    }
  }
  return { package: own.package, interfaces, worlds: own.worlds };
}

/** The `.wit` files that lie in a folder, sorted. */
export function witFiles(folder) {
  return list(folder)
    .filter((entry) => entry.isFile() && entry.name.endsWith(".wit"))
    .map((entry) => join(folder, entry.name))
    .sort();
}

function list(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error.code === "ENOENT") {
      return [];
    }
    throw error;
  }
}

function readPackage(folder, files) {
  const parts = files.map((file) => new Reader(readFileSync(file, "utf8"), file).file());
  const name = parts.find((part) => part.package !== undefined)?.package;
  if (name === undefined) {
    throw new WitError(folder, 1, "no file here says which package it is: begin one with `package department:name@1.0.0;`");
  }
  const interfaces = new Map();
  const worlds = new Map();
  for (const part of parts) {
    for (const found of part.interfaces) {
      interfaces.set(full(name, found.name), { ...found, package: name });
    }
    for (const found of part.worlds) {
      worlds.set(found.name, { ...found, package: name });
    }
  }
  return { package: name, interfaces, worlds };
}

/** `health:notices@1.0.0` and `feed` make `health:notices/feed@1.0.0`. */
export function full(packageName, name) {
  if (name.includes("/")) {
    return name;
  }
  const [id, version] = packageName.split("@");
  return `${id}/${name}${version === undefined ? "" : `@${version}`}`;
}

class Reader {
  #tokens;
  #file;
  #at = 0;

  constructor(text, file) {
    this.#tokens = tokens(text, file);
    this.#file = file;
  }

  file() {
    const found = { package: undefined, interfaces: [], worlds: [] };
    while (this.#peek().kind !== "end") {
      this.#annotations();
      const { docs } = this.#peek();
      const word = this.#word("package, interface or world");
      if (word === "package") {
        found.package = this.#packageName();
        this.#sign(";");
      } else if (word === "interface") {
        const name = this.#word("the interface's name");
        found.interfaces.push({ name, docs, ...this.#interfaceBody() });
      } else if (word === "world") {
        found.worlds.push({ name: this.#word("the world's name"), docs, ...this.#worldBody() });
      } else if (word === "use") {
        this.#fail("`use` at the top of a file is not read: use the interface where its types are needed");
      } else {
        this.#fail(`expected package, interface or world, found ${word}`);
      }
    }
    return found;
  }

  #interfaceBody() {
    const types = [];
    const functions = [];
    const uses = [];
    this.#sign("{");
    while (!this.#taken("}")) {
      this.#annotations();
      const { docs, line, plain } = this.#peek();
      const word = this.#word("a type or a function");
      if (plain && word === "use") {
        uses.push(this.#use());
      } else if (plain && word === "resource") {
        this.#resource(line);
      } else if (plain && ["record", "variant", "enum", "flags", "type"].includes(word)) {
        types.push({ docs, name: this.#word("a name"), ...this.#type(word) });
      } else {
        this.#sign(":");
        functions.push({ name: word, docs, ...this.#func() });
        this.#sign(";");
      }
    }
    return { types, functions, uses };
  }

  #worldBody() {
    const exports = [];
    const body = { types: [], functions: [], uses: [] };
    this.#sign("{");
    while (!this.#taken("}")) {
      this.#annotations();
      const { docs } = this.#peek();
      const word = this.#word("import, export, include or a type");
      if (word === "import" || word === "export") {
        const found = this.#external(docs);
        if (word === "export") {
          exports.push(found);
        }
      } else if (word === "include") {
        this.#path();
        if (this.#peek().text === "with") {
          this.#fail("`include … with` is not read: name what the world exports");
        }
        this.#sign(";");
      } else if (word === "use") {
        body.uses.push(this.#use());
      } else {
        body.types.push({ docs, name: this.#word("a name"), ...this.#type(word) });
      }
    }
    return { exports, ...body };
  }

  /** What a world imports or exports: an interface by name, one written in place, or a function. */
  #external(docs) {
    const path = this.#path();
    if (this.#taken(";")) {
      return { kind: "interface", name: path, docs };
    }
    this.#sign(":");
    if (this.#peek().text === "interface") {
      this.#next();
      return { kind: "inline", name: path, docs, ...this.#interfaceBody() };
    }
    const found = { kind: "function", name: path, docs, ...this.#func() };
    this.#sign(";");
    return found;
  }

  #use() {
    const from = this.#path();
    this.#sign(".");
    this.#sign("{");
    const names = [];
    while (!this.#taken("}")) {
      const name = this.#word("a type's name");
      let as = name;
      if (this.#peek().text === "as") {
        this.#next();
        as = this.#word("a name");
      }
      names.push({ name, as });
      this.#comma("}");
    }
    this.#sign(";");
    return { from, names };
  }

  #type(word) {
    switch (word) {
      case "type": {
        this.#sign("=");
        const of = this.#value();
        this.#sign(";");
        return { kind: "alias", of };
      }
      case "record":
        return { kind: "record", fields: this.#braced(() => this.#field()) };
      case "variant":
        return { kind: "variant", cases: this.#braced(() => this.#case()) };
      case "enum":
        return { kind: "enum", cases: this.#braced(() => ({ docs: this.#peek().docs, name: this.#word("a case") })) };
      case "flags":
        return { kind: "flags", names: this.#braced(() => ({ docs: this.#peek().docs, name: this.#word("a flag") })) };
      default:
        return this.#fail(`expected a type, found ${word}`);
    }
  }

  #field() {
    const { docs } = this.#peek();
    const name = this.#word("a field");
    this.#sign(":");
    return { docs, name, of: this.#value() };
  }

  #case() {
    const { docs } = this.#peek();
    const name = this.#word("a case");
    if (!this.#taken("(")) {
      return { docs, name, of: undefined };
    }
    const of = this.#value();
    this.#sign(")");
    return { docs, name, of };
  }

  #func() {
    if (this.#peek().text === "async") {
      this.#fail("a plugin's functions are not async: the host makes each call in an instance of its own");
    }
    if (this.#word("func") !== "func") {
      this.#fail("expected func");
    }
    const parameters = [];
    this.#sign("(");
    while (!this.#taken(")")) {
      const name = this.#word("a parameter");
      this.#sign(":");
      parameters.push({ name, of: this.#value() });
      this.#comma(")");
    }
    return { parameters, result: this.#taken("->") ? this.#value() : undefined };
  }

  #value() {
    const { line } = this.#peek();
    const word = this.#word("a type");
    if (PLAIN.has(word)) {
      return { kind: "plain", name: word };
    }
    switch (word) {
      case "list":
      case "option": {
        const [of] = this.#angled();
        return { kind: word, of };
      }
      case "tuple":
        return { kind: "tuple", of: this.#angled() };
      case "result": {
        const [ok, err] = this.#peek().text === "<" ? this.#angled() : [];
        return { kind: "result", ok, err };
      }
      case "borrow":
      case "own":
        return this.#resource(line);
      case "stream":
      case "future":
        return this.#fail(`a plugin cannot offer a ${word}: return a list`, line);
      default:
        return { kind: "named", name: word };
    }
  }

  #angled() {
    const of = [];
    this.#sign("<");
    while (!this.#taken(">")) {
      if (this.#taken("_")) {
        of.push(undefined);
      } else {
        of.push(this.#value());
      }
      this.#comma(">");
    }
    return of;
  }

  #braced(read) {
    const found = [];
    this.#sign("{");
    while (!this.#taken("}")) {
      found.push(read());
      this.#comma("}");
    }
    return found;
  }

  #comma(close) {
    if (!this.#taken(",") && this.#peek().text !== close) {
      this.#fail(`expected , or ${close}, found ${this.#peek().text}`);
    }
  }

  /** `feed`, `health:notices/feed` or `health:notices/feed@1.0.0`. */
  #path() {
    let path = this.#word("a name");
    if (this.#peek().text === ":" && this.#peek(2).text === "/") {
      this.#next();
      path += `:${this.#word("a package")}`;
      this.#sign("/");
      path += `/${this.#word("an interface")}`;
      if (this.#taken("@")) {
        path += `@${this.#version()}`;
      }
    }
    return path;
  }

  #packageName() {
    let name = this.#word("a namespace");
    this.#sign(":");
    name += `:${this.#word("a package")}`;
    return this.#taken("@") ? `${name}@${this.#version()}` : name;
  }

  #version() {
    const token = this.#next();
    if (token.kind !== "number") {
      this.#fail(`expected a version, found ${token.text}`);
    }
    // The dot before `{names}` of a `use` is none of the version's.
    if (token.text.endsWith(".")) {
      this.#at -= 1;
      this.#tokens[this.#at] = { ...token, kind: "sign", text: "." };
      return token.text.slice(0, -1);
    }
    return token.text;
  }

  #annotations() {
    while (this.#taken("@")) {
      this.#word("an annotation");
      if (this.#taken("(")) {
        while (!this.#taken(")")) {
          this.#next();
        }
      }
    }
  }

  #resource(line) {
    return this.#fail("a plugin cannot offer resources: each call has an instance of its own; pass values", line);
  }

  #peek(ahead = 0) {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)];
  }

  #next() {
    const token = this.#peek();
    if (token.kind === "end") {
      this.#fail("the text ends in the middle");
    }
    this.#at += 1;
    return token;
  }

  #taken(sign) {
    if (this.#peek().kind !== "sign" || this.#peek().text !== sign) {
      return false;
    }
    this.#at += 1;
    return true;
  }

  #sign(sign) {
    if (!this.#taken(sign)) {
      this.#fail(`expected ${sign}, found ${this.#peek().text}`);
    }
  }

  #word(what) {
    const token = this.#peek();
    if (token.kind !== "word") {
      this.#fail(`expected ${what}, found ${token.text}`);
    }
    this.#at += 1;
    return token.text;
  }

  #fail(message, line = this.#peek().line) {
    throw new WitError(this.#file, line, message);
  }
}
