/** An invariant of the core is broken. The process must end; what it promised is on its disk. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Stays on in production. For a message that is costly to build, use `fail` behind an `if`. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

export function fail(message: string): never {
  throw new AssertionError(message);
}
