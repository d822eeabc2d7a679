/** A fault that makes no sense. Nothing was changed by it. */
export class FaultError extends Error {
  override readonly name = "FaultError";
}

/** The grammar of all of these: `cannot <what>: expected <expected>, got <found>`. */
export function refuse(what: string, expected: string, found: unknown): never {
  throw new FaultError(`cannot ${what}: expected ${expected}, got ${String(found)}`);
}
