/** What a person (or program) asked for can't be done, with the reason in a sentence. */
export type PlaygroundErrorCode =
  /** No such node. */
  | "not-found"
  /** The request itself makes no sense. */
  | "invalid"
  /** It makes sense, but not now. */
  | "not-now"
  /** A node was asked and could not do it. */
  | "failed";

export class PlaygroundError extends Error {
  override readonly name = "PlaygroundError";
  readonly code: PlaygroundErrorCode;

  constructor(code: PlaygroundErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
