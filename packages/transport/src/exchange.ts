/** raftarium.raft.v1.RaftService/Exchange as grpc-js carries it: frames as bytes, both ways. */
import type { MethodDefinition, ServerOptions } from "@grpc/grpc-js";
import type { Hello } from "@raftarium/protocol";
import { CodecError, decodeFrame, encodeFrame } from "@raftarium/protocol";
import type { Frame } from "@raftarium/protocol";
import { toMethodDefinition, viewAsBuffer, viewAsBytes } from "@raftarium/protocol/grpc";
import { RaftService } from "@raftarium/protocol/raft";

const asIs = (bytes: Buffer): Buffer => bytes;

/** We encode and decode ourselves: what does not parse is then counted, and told by name. */
export const exchange: MethodDefinition<Buffer, Buffer> = {
  ...toMethodDefinition(RaftService.method.exchange),
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
};

/** A frame may hold one snapshot chunk or one batch of entries, both of a few MiB at most. */
export const FRAME_BYTES_MAX = 8 * 1024 * 1024;
/** Enough for a batch on its way; little enough that a paused peer does not swallow seconds. */
export const WINDOW_BYTES = 1024 * 1024;

/**
 * For the grpc-js Server that the transport's service is added to. What it sends has no limit: a
 * client that is told of an answer too large to send doesn't know whether its write took effect.
 */
export const SERVER_OPTIONS: ServerOptions = {
  "grpc.max_receive_message_length": FRAME_BYTES_MAX,
  "grpc.max_send_message_length": -1,
  "grpc-node.flow_control_window": WINDOW_BYTES,
  "grpc.enable_channelz": 0,
};

export function encodeHello(hello: Hello): Buffer {
  return viewAsBuffer(encodeFrame({ kind: "hello", hello }));
}

/** The frame, or in one sentence why there is none. */
export function readFrame(bytes: Buffer): Frame | string {
  try {
    return decodeFrame(viewAsBytes(bytes));
  } catch (error) {
    if (error instanceof CodecError) return error.message;
    throw error;
  }
}
