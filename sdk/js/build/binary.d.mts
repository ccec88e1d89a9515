export const COMPONENT: Readonly<Record<"custom" | "module" | "component" | "instance" | "alias" | "import" | "export", number>>;
export function sections(bytes: Uint8Array): { header: Uint8Array; sections: { id: number; body: Uint8Array }[] };
export function number(bytes: Uint8Array, at: number): [value: number, end: number];
export function customName(body: Uint8Array): string;
