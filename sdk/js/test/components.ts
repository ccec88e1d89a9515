/** What a component imports and exports, read from its binary. */

import { COMPONENT, number, sections } from "../build/binary.mjs";

export function importedNames(bytes: Uint8Array): string[] {
  return namesIn(bytes, COMPONENT.import);
}

export function exportedNames(bytes: Uint8Array): string[] {
  return namesIn(bytes, COMPONENT.export);
}

/** The name of each section with one entry, which is how these components are written. */
function namesIn(bytes: Uint8Array, id: number): string[] {
  return sections(bytes)
    .sections.filter((section) => section.id === id)
    .map(({ body }) => {
      const [count, at] = number(body, 0);
      if (count !== 1) {
        throw new Error("a section with several entries");
      }
      const [length, text] = number(body, at + 1);
      return new TextDecoder().decode(body.subarray(text, text + length));
    });
}
