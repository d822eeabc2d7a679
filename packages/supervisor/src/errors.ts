/** What the caller did wrong, or what became of the process, for the caller's next move. */
export type SupervisorErrorCode =
  /** No node of that id. */
  | "unknown-node"
  /** The node is not in a state in which this can be done. */
  | "wrong-health"
  /** The process ended, or did not say that it listens, while it was waited for. */
  | "start-failed"
  /** A port that is needed is taken. */
  | "port-in-use";

export class SupervisorError extends Error {
  override readonly name = "SupervisorError";
  readonly code: SupervisorErrorCode;

  constructor(code: SupervisorErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
