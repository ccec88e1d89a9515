import { active } from "../active.ts";

export function now(): { seconds: number; nanoseconds: number } {
  const ms = active().clock.nowMs;
  const seconds = Math.floor(ms / 1_000);
  return { seconds, nanoseconds: Math.floor((ms - seconds * 1_000) * 1_000_000) };
}
