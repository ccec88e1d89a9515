/**
 * What a Trunkline plugin written in JavaScript or TypeScript needs besides its own interface.
 *
 * | module | capability |
 * |---|---|
 * | {@link call} | the call under way: its id, attempt, language and the time that is left |
 * | {@link log} | lines for the operator |
 * | {@link config} | settings from `config:` in hotline.yaml |
 * | {@link clock} | the time of day |
 * | {@link kv} | key-values of the plugin's own |
 * | {@link secrets} | secrets that are used and never seen |
 * | {@link http} | requests to the services that the operator granted |
 *
 * A component imports only what its code reaches, so a plugin that never names `kv` or `http` asks
 * for neither. Everything here blocks: an instance serves one call and is gone.
 *
 * @module
 */

export * as call from "./call.ts";
export * as clock from "./clock.ts";
export * as config from "./config.ts";
export * as http from "./http.ts";
export * as kv from "./kv.ts";
export * as log from "./log.ts";
export * as secrets from "./secrets.ts";
export { Refusal } from "./refusal.ts";
