/**
 * What nodes say to each other, to raftarium.raft.v1 and back. protobuf-es's own encoder carries it,
 * but for appends and their answers, which are written by hand (append-codec.ts).
 */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Message, NodeId } from "@raftarium/raft";
import { decodeAppendFrame, encodeAppendFrame } from "./append-codec.ts";
import { CodecError } from "./codec-error.ts";
import type {
  Envelope as WireEnvelope,
  Frame as WireFrame,
  Hello as WireHello,
} from "./gen/raftarium/raft/v1/raft_pb.ts";
import { EnvelopeSchema, FrameSchema, HelloSchema } from "./gen/raftarium/raft/v1/raft_pb.ts";
import { createMirror } from "./mirror.ts";

/** The version of the protocol between nodes. Nodes of different versions refuse each other. */
export const PROTOCOL_VERSION = 1;

/** The first frame of each side of a stream: who speaks to whom. */
export interface Hello {
  readonly cluster: string;
  readonly source: NodeId;
  readonly target: NodeId;
  /** How often the source was started; from 1 up. */
  readonly incarnation: number;
  readonly version: number;
  /** Drawn by the process at its start: tells a reconnect from a second process of the same id. */
  readonly instance: number;
}

/** A message with the identity that it keeps from sending to delivery. */
export interface Envelope {
  readonly source: NodeId;
  readonly target: NodeId;
  readonly incarnation: number;
  /** Counts the source's messages within an incarnation; from 1 up. */
  readonly sequence: number;
  /** The machine's monotonic clock at sending, microseconds. */
  readonly sentAtUs: number;
  readonly message: Message;
}

export type Frame =
  | { readonly kind: "hello"; readonly hello: Hello }
  | { readonly kind: "envelope"; readonly envelope: Envelope };

const mirror = createMirror("type", new Set());

/** Throws CodecError on what has no counterpart: a number that is not a safe integer, say. */
export function encodeFrame(frame: Frame): Uint8Array {
  const usual = frame.kind === "envelope" ? encodeAppendFrame(frame.envelope) : null;
  if (usual !== null) return usual;
  return toBinary(FrameSchema, {
    $typeName: FrameSchema.typeName,
    content: contentToWire(frame),
  });
}

/** Throws CodecError on bytes that are no frame, and on frames that mean nothing here. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const usual = decodeAppendFrame(bytes);
  if (usual !== null) return { kind: "envelope", envelope: usual };
  const { content } = parse(bytes);
  switch (content.case) {
    case "hello":
      return { kind: "hello", hello: mirror.toPlain(HelloSchema, content.value) as Hello };
    case "envelope":
      return { kind: "envelope", envelope: envelopeFromWire(content.value) };
    case undefined:
      throw new CodecError(
        "decode",
        `${FrameSchema.typeName}.content`,
        "one of hello, envelope",
        "nothing",
      );
  }
}

export function envelopeToWire(envelope: Envelope): WireEnvelope {
  return mirror.toWire(EnvelopeSchema, envelope) as WireEnvelope;
}

export function envelopeFromWire(message: WireEnvelope): Envelope {
  return mirror.toPlain(EnvelopeSchema, message) as Envelope;
}

function contentToWire(frame: Frame): WireFrame["content"] {
  switch (frame.kind) {
    case "hello":
      return { case: "hello", value: mirror.toWire(HelloSchema, frame.hello) as WireHello };
    case "envelope":
      return { case: "envelope", value: envelopeToWire(frame.envelope) };
  }
}

function parse(bytes: Uint8Array): WireFrame {
  try {
    return fromBinary(FrameSchema, bytes);
  } catch (error) {
    const found = `${bytes.length} bytes that do not parse: ${(error as Error).message}`;
    throw new CodecError("decode", FrameSchema.typeName, "a message", found);
  }
}
