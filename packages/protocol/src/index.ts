/**
 * The one place where our plain objects meet the wire. Generated messages are on the subpaths
 * (`@raftarium/protocol/raft`, `/observer`, ...); grpc-js is on `@raftarium/protocol/grpc`.
 */
export { CodecError } from "./codec-error.ts";
export {
  PROTOCOL_VERSION,
  decodeFrame,
  encodeFrame,
  envelopeFromWire,
  envelopeToWire,
} from "./frame.ts";
export type { Envelope, Frame, Hello } from "./frame.ts";
export {
  healths,
  linkFromWire,
  linkToWire,
  messageIdFromWire,
  messageKinds,
  nodeViewFromWire,
  nodeViewToWire,
  observationFromWire,
  observationToWire,
  roles,
} from "./observation.ts";
