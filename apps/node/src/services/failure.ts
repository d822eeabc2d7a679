/**
 * Errors as clients meet them: etcd's code and text, and in the trailing metadata
 * `raftarium-outcome: failed` (it has not taken effect and never will) or `unknown`.
 */
import { Metadata, status as Status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import type { KvErrorCode, KvFailure } from "@raftarium/kv";
import type { ProposalOutcome, ReadOutcome } from "@raftarium/node";
import { StatusError } from "@raftarium/protocol/grpc";

export const OUTCOME_HEADER = "raftarium-outcome";

type Outcome = "failed" | "unknown";

function withOutcome(code: Status, text: string, outcome: Outcome): StatusError {
  const metadata = new Metadata();
  metadata.set(OUTCOME_HEADER, outcome);
  return new StatusError(code, text, metadata);
}

/** It has definitely not taken effect. */
export function failed(code: Status, text: string): StatusError {
  return withOutcome(code, text, "failed");
}

/** It may or may not have taken effect, and we will not send it again. */
export function unknown(text: string, code: Status = Status.UNAVAILABLE): StatusError {
  return withOutcome(code, text, "unknown");
}

/** `raftarium-outcome` of an error that came from another node; null: it tells nothing. */
export function outcomeOf(error: Pick<ServiceError, "metadata">): Outcome | null {
  const [value] = error.metadata?.get(OUTCOME_HEADER) ?? [];
  return value === "failed" || value === "unknown" ? value : null;
}

export const TEXT = {
  noLeader: "etcdserver: no leader",
  notLeader: "etcdserver: not leader",
  leaderChanged: "etcdserver: leader changed",
  timedOut: "etcdserver: request timed out",
  leaderFailed: "etcdserver: request timed out, possibly due to previous leader failure",
  connectionLost: "etcdserver: request timed out, possibly due to connection lost",
  tooManyRequests: "etcdserver: too many requests",
  noSpace: "etcdserver: mvcc: database space exceeded",
  changing:
    "etcdserver: unhealthy cluster: another change of the members is under way, or the leader is new; try again in a moment",
  stopped: "etcdserver: server stopped",
  sessionExpired: "raftarium: the session is not open; it was closed, or made room for others",
  answerForgotten: "raftarium: the answer to this write of the session is not kept any more",
} as const;

const CODES: Readonly<Record<KvErrorCode, Status>> = {
  "invalid-argument": Status.INVALID_ARGUMENT,
  "out-of-range": Status.OUT_OF_RANGE,
  "not-found": Status.NOT_FOUND,
};

export function kvFailure({ code, message }: KvFailure): StatusError {
  return failed(CODES[code], message);
}

/** What a refused proposal or read means for the one who asked. */
export type Refusal =
  | { readonly kind: "answer"; readonly error: StatusError }
  /** Another attempt is safe, and may do better in a moment; `error` if there is no time left. */
  | { readonly kind: "retry"; readonly error: StatusError };

export function refusalOf(
  outcome: Exclude<ProposalOutcome<unknown>, { readonly kind: "applied" }>,
): Refusal {
  switch (outcome.kind) {
    case "superseded":
      return { kind: "retry", error: failed(Status.UNAVAILABLE, TEXT.leaderChanged) };
    case "unknown":
      return { kind: "answer", error: unknown(TEXT.leaderFailed) };
    case "refused":
      break;
  }
  switch (outcome.reason) {
    case "not-leader":
    case "transferring":
      return { kind: "retry", error: failed(Status.UNAVAILABLE, TEXT.noLeader) };
    case "overloaded":
      return { kind: "answer", error: failed(Status.RESOURCE_EXHAUSTED, TEXT.tooManyRequests) };
    case "disk-full":
      return { kind: "answer", error: failed(Status.RESOURCE_EXHAUSTED, TEXT.noSpace) };
    case "configuration-pending":
      return {
        kind: "answer",
        error: failed(Status.UNAVAILABLE, TEXT.changing),
      };
    case "invalid":
      return {
        kind: "answer",
        error: failed(
          Status.FAILED_PRECONDITION,
          "cannot change the membership: expected a change that fits the members as they are",
        ),
      };
  }
}

export function readErrorOf(
  outcome: Extract<ReadOutcome, { readonly kind: "refused" }>,
): StatusError {
  const text = outcome.reason === "leader-changed" ? TEXT.leaderChanged : TEXT.noLeader;
  return failed(Status.UNAVAILABLE, text);
}
