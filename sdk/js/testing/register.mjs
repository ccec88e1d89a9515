/**
 * Lets a plugin's own modules run in Node: `node --import @trunkline/sdk/testing/register --test`.
 *
 * The host's interfaces are those of the test host, TypeScript is compiled on the way (its types are
 * not checked: the build does), and the globals that the host stands behind are the test host's.
 */

import { register } from "node:module";

register("./hooks.mjs", import.meta.url);
