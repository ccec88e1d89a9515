// The step of the benchmarks in JavaScript: plugins/address-card, line for line.

function fieldOf(text, name) {
  for (const pair of text.split(";")) {
    const at = pair.indexOf("=");
    if (at >= 0 && pair.slice(0, at).trim() === name) {
      return pair.slice(at + 1).trim();
    }
  }
  throw { tag: "malformed", val: name };
}

function numberOf(text, name) {
  const found = fieldOf(text, name);
  if (!/^\d+$/.test(found)) {
    throw { tag: "malformed", val: name };
  }
  return Number(found);
}

export const cards = {
  read(text) {
    return {
      id: fieldOf(text, "id"),
      name: fieldOf(text, "name"),
      district: fieldOf(text, "district"),
      street: fieldOf(text, "street"),
      born: numberOf(text, "born"),
      household: numberOf(text, "household"),
      registered: fieldOf(text, "registered") === "true",
    };
  },
};
