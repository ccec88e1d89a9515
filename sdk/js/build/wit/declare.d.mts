import type { Wit } from "./read.mjs";
export function declare(wit: Wit, world: string): string;
export function exportsOf(wit: Wit, world: string): { name: string; isInterface: boolean }[];
