import { active } from "../active.ts";

export const write = (level: string, message: string): void => active().write(level, message);
