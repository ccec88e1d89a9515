import { active } from "../active.ts";
import { Pollable } from "../resources.ts";

export const now = (): number => active().clock.nanos;

export function subscribeDuration(nanos: number): Pollable {
  const end = active().clock.nanos + nanos;
  return new Pollable(null, () => end);
}
