import { active } from "../active.ts";

export const placeholder = (name: string): string => active().secrets.placeholder(name);
export const sign = (name: string, algorithm: string, bytes: Uint8Array): Uint8Array =>
  active().secrets.sign(name, algorithm, bytes);
