export { poll } from "../resources.ts";
