/** Bytes or values that mean nothing in this protocol. Nothing of them was used. */
export class CodecError extends Error {
  override readonly name = "CodecError";
  /** Where: the full name of the message or field, `raftarium.raft.v1.Envelope.sequence`. */
  readonly field: string;
  readonly expected: string;
  readonly found: string;

  constructor(verb: "encode" | "decode", field: string, expected: string, found: unknown) {
    const text = typeof found === "string" ? found : String(found);
    super(`cannot ${verb} ${field}: expected ${expected}, got ${text}`);
    this.field = field;
    this.expected = expected;
    this.found = text;
  }
}
