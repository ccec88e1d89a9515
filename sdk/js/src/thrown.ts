/** What the host's functions throw. */

/**
 * Calls the host. An error case that it answers with is turned into the SDK's own error; anything
 * else that is thrown is no answer of the host's and goes on as it is.
 */
export function asking<T>(call: () => T, translate: (answer: never) => Error): T {
  try {
    return call();
  } catch (thrown) {
    if (thrown instanceof Error && "payload" in thrown) {
      throw translate(thrown.payload as never);
    }
    throw thrown;
  }
}
