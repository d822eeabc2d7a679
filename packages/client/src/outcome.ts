/** How a call ended: what the caller may rely on, not how the transport felt about it. */
import { Code } from "@connectrpc/connect";
import type { ConnectError } from "@connectrpc/connect";

export type Outcome<Value> =
  | {
      readonly outcome: "ok";
      readonly value: Value;
      /** Who answered. */
      readonly endpoint: string;
      readonly attempts: number;
    }
  | Failure;

export interface Failure {
  /**
   * `failed`: it has not taken effect and never will. `unknown`: it may have taken effect, or may
   * yet do so; only a look at the state can tell.
   */
  readonly outcome: "failed" | "unknown";
  /** gRPC's name of the code, as in `unavailable`. */
  readonly code: string;
  readonly message: string;
  /** Who was asked last. */
  readonly endpoint: string;
  readonly attempts: number;
}

/** A node says in the trailers what became of a refused request. */
const OUTCOME_HEADER = "raftarium-outcome";

/** What one failed attempt of a write proves. */
export function outcomeOf(error: ConnectError): "failed" | "unknown" {
  const told = error.metadata.get(OUTCOME_HEADER);
  if (told === "failed" || told === "unknown") return told;
  if (neverSent(error.cause) || isTooLargeForNode(error)) return "failed";
  switch (error.code) {
    // Answers of a server that looked at the request and did not carry it out.
    case Code.InvalidArgument:
    case Code.NotFound:
    case Code.AlreadyExists:
    case Code.PermissionDenied:
    case Code.FailedPrecondition:
    case Code.OutOfRange:
    case Code.Unimplemented:
    case Code.Unauthenticated:
      return "failed";
    case Code.Canceled:
    case Code.Unknown:
    case Code.DeadlineExceeded:
    case Code.ResourceExhausted:
    case Code.Aborted:
    case Code.Internal:
    case Code.Unavailable:
    case Code.DataLoss:
      return "unknown";
  }
}

/** Whether another attempt, at another endpoint, could do better. */
export function isWorthRetrying(error: ConnectError): boolean {
  if (isTooLargeForNode(error)) return false;
  switch (error.code) {
    case Code.Canceled:
    case Code.Unknown:
    case Code.DeadlineExceeded:
    case Code.ResourceExhausted:
    case Code.Aborted:
    case Code.Internal:
    case Code.Unavailable:
      return true;
    case Code.InvalidArgument:
    case Code.NotFound:
    case Code.AlreadyExists:
    case Code.PermissionDenied:
    case Code.FailedPrecondition:
    case Code.OutOfRange:
    case Code.Unimplemented:
    case Code.DataLoss:
    case Code.Unauthenticated:
      return false;
  }
}

/**
 * The gRPC library of a node refused the request's bytes before anybody read them, and so could say
 * nothing in the trailers. (It is not this end that finds an answer too large: Connect says that
 * in other words.)
 */
function isTooLargeForNode(error: ConnectError): boolean {
  return (
    error.code === Code.ResourceExhausted &&
    error.rawMessage.startsWith("Received message larger than max")
  );
}

/** Node.js says which system call failed: without a connection nothing was sent. */
export function neverSent(cause: unknown): boolean {
  if (typeof cause !== "object" || cause === null) return false;
  const { syscall, errors } = cause as { syscall?: unknown; errors?: unknown };
  if (Array.isArray(errors) && errors.length > 0) return errors.every(neverSent);
  return syscall === "connect" || syscall === "getaddrinfo";
}

/** `unavailable`, `deadline exceeded`: a code as people read it. */
export function nameOfCode(code: Code): string {
  return (Code[code] ?? "unknown").replace(/(?<=[a-z])[A-Z]/g, " $&").toLowerCase();
}
