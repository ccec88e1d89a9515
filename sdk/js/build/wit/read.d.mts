export interface Wit {
  readonly package: string;
}
export function readFolder(folder: string): Wit;
