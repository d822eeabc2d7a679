/** Sessions as clients see them: headers on a write, and what their refusals mean. */
import { status as Status } from "@grpc/grpc-js";
import type { Metadata } from "@grpc/grpc-js";
import type { SessionNotice, SessionPosition } from "@raftarium/node";
import type { StatusError } from "@raftarium/protocol/grpc";
import { TEXT, failed, unknown } from "./failure.ts";

/** The session that the write belongs to, as OpenSession told it. */
export const SESSION_HEADER = "raftarium-session";
/** Which of its writes this is, from 1 up: the same number is the same write. */
export const SEQUENCE_HEADER = "raftarium-sequence";
/** The client has the answers up to this one. */
export const ANSWERED_HEADER = "raftarium-answered";
/** All of them, for whoever passes them on. */
export const SESSION_HEADERS = [SESSION_HEADER, SEQUENCE_HEADER, ANSWERED_HEADER] as const;

/** null: the write belongs to no session. An error: the headers make no sense. */
export function positionOf(metadata: Metadata): SessionPosition | StatusError | null {
  if (metadata.get(SESSION_HEADER).length === 0) return null;
  const session = numberOf(metadata, SESSION_HEADER, 1);
  const sequence = numberOf(metadata, SEQUENCE_HEADER, 1);
  const answeredThrough = numberOf(metadata, ANSWERED_HEADER, 0);
  if (typeof session === "string") return failed(Status.INVALID_ARGUMENT, session);
  if (typeof sequence === "string") return failed(Status.INVALID_ARGUMENT, sequence);
  if (typeof answeredThrough === "string") return failed(Status.INVALID_ARGUMENT, answeredThrough);
  return { session, sequence, answeredThrough };
}

/** A string: what was expected, and what was found. Without the header, 0 where that makes sense. */
function numberOf(metadata: Metadata, header: string, min: number): number | string {
  const [text] = metadata.get(header);
  const value = text === undefined && min === 0 ? 0 : Number(text ?? Number.NaN);
  if (Number.isSafeInteger(value) && value >= min) return value;
  return `${header}: expected a whole number from ${min} up, got ${String(text ?? "nothing")}`;
}

/** Why the sessions refused a write; an earlier attempt of the same one may have been carried out. */
export function refusalBySession(notice: SessionNotice): StatusError {
  switch (notice.session) {
    case "expired":
      return unknown(TEXT.sessionExpired, Status.FAILED_PRECONDITION);
    case "forgotten":
      return unknown(TEXT.answerForgotten, Status.ALREADY_EXISTS);
    case "malformed":
    case "opened":
    case "closed":
      return failed(Status.INTERNAL, `expected an answer to a write, got ${notice.session}`);
  }
}
