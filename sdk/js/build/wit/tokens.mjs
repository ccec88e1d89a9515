/** Words and signs of WIT text, each with where it stands and the comment before it. */

const PATTERN =
  /(?<space>\s+)|(?<comment>\/\/[^\n]*|\/\*[\s\S]*?\*\/)|(?<word>%?[A-Za-z][A-Za-z0-9-]*)|(?<number>\d[\w.+-]*)|(?<sign>->|[{}()<>,;:=@./*_])/y;

/** Text that is no WIT, or WIT that a plugin cannot offer. */
export class WitError extends Error {
  constructor(file, line, message) {
    super(`${file}:${line}: ${message}`);
    this.name = "WitError";
  }
}

/** Takes a text apart. */
export function tokens(text, file) {
  const found = [];
  let line = 1;
  let docs = [];
  PATTERN.lastIndex = 0;
  while (PATTERN.lastIndex < text.length) {
    const at = PATTERN.lastIndex;
    const match = PATTERN.exec(text);
    if (match === null) {
      throw new WitError(file, line, `${JSON.stringify(text[at])} is no part of WIT`);
    }
    const { comment, word, number, sign } = match.groups;
    if (comment?.startsWith("///")) {
      docs.push(comment.slice(3).trim());
    } else if (word !== undefined) {
      found.push({ kind: "word", text: word.replace(/^%/, ""), plain: !word.startsWith("%"), line, docs });
      docs = [];
    } else if (number !== undefined) {
      found.push({ kind: "number", text: number, line, docs });
      docs = [];
    } else if (sign !== undefined) {
      found.push({ kind: "sign", text: sign, line, docs });
      docs = [];
    }
    line += match[0].split("\n").length - 1;
  }
  found.push({ kind: "end", text: "the end", line, docs: [] });
  return found;
}
