import { active } from "../active.ts";

export const get = (name: string): string | null => active().config.get(name) ?? null;
export const all = (): [string, string][] => [...active().config];
