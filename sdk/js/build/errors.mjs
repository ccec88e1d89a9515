/** What a person did that cannot be built, said for a person. */
export class BuildError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = "BuildError";
  }
}
