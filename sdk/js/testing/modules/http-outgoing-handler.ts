export { handle } from "../resources.ts";
