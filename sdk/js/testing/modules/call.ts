import { active } from "../active.ts";

export const current = (): unknown => active().current();
