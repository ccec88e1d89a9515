// Reads verbs from standard input, one array a line, and holds each against the schema that jambonz
// publishes.

const { createInterface } = require("node:readline");
const { validateApp } = require("@jambonz/schema");

let count = 0;
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const found = validateApp(JSON.parse(line));
    if (!found.valid) {
      console.error(line, JSON.stringify(found.errors));
      process.exit(1);
    }
    count += 1;
  })
  .on("close", () => console.log(count));
