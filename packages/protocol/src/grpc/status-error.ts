import { Metadata, status as Status } from "@grpc/grpc-js";

/** An answer other than OK. `code` is one of grpc-js's `status`. */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly code: Status;
  readonly details: string;
  readonly metadata: Metadata;

  constructor(code: Status, details: string, metadata: Metadata = new Metadata()) {
    super(details);
    this.code = code;
    this.details = details;
    this.metadata = metadata;
  }
}

export function toStatusError(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  const details = error instanceof Error ? error.message : String(error);
  return new StatusError(Status.INTERNAL, details);
}
