import { active } from "../active.ts";

export const get = (key: string): unknown => active().kv.get(key);
export const set = (key: string, value: Uint8Array, ttlS: number | null): number => active().kv.set(key, value, ttlS);
export const setIf = (key: string, value: Uint8Array, expected: number | null, ttlS: number | null): number =>
  active().kv.setIf(key, value, expected, ttlS);
const remove = (key: string): void => active().kv.delete(key);
export { remove as delete };
export const keys = (prefix: string, after: string | null, limit: number): string[] =>
  active().kv.keys(prefix, after, limit);
