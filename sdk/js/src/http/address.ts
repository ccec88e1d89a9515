/** The parts of an address, as `wasi:http` wants them apart. */

/** An address of http or https. */
export interface Address {
  /** Whether it is https. */
  readonly secure: boolean;
  /** Host and port, `127.0.0.1:7001`. */
  readonly authority: string;
  /** Path and query, `/v1/notices?district=xihu`; `/` when the address gives neither. */
  readonly pathWithQuery: string;
}

/**
 * Takes an address apart; `null` when it is of another scheme, has no host, names a user, or holds
 * characters that no address has.
 */
export function parse(url: string): Address | null {
  const parts = /^(https?):\/\/([^/?#@:][^/?#@]*)([^#]*)(#.*)?$/i.exec(url);
  if (parts === null || !/^[\x21-\x7e]+$/.test(url)) {
    return null;
  }
  const [, scheme = "", authority = "", path = ""] = parts;
  return {
    secure: scheme.toLowerCase() === "https",
    authority,
    pathWithQuery: path.startsWith("/") ? path : `/${path}`,
  };
}
