/** What a call of any kind needs of its HTTP/2 stream: messages out, one status, and who asked. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { gunzipSync, inflateSync } from "node:zlib";
import { Metadata, status as Status } from "@grpc/grpc-js";
import type { Deadline } from "@grpc/grpc-js";
import { framed } from "./framing.ts";
import { StatusError } from "./status-error.ts";

const HEADERS = { ":status": 200, "content-type": "application/grpc+proto" } as const;
const OK_TRAILERS = { "grpc-status": "0" } as const;
const WITH_TRAILERS = { waitForTrailers: true, sendDate: false } as const;
const AT_ONCE = { endStream: true, sendDate: false } as const;

/** For HTTP/2 and gRPC, not for whoever handles the call. */
const NOT_METADATA = [
  "grpc-timeout",
  "grpc-encoding",
  "grpc-accept-encoding",
  "accept-encoding",
  "te",
  "content-type",
];
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const TIMEOUT_UNITS_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

export function metadataOf(headers: IncomingHttpHeaders): Metadata {
  const metadata = Metadata.fromHttp2Headers(headers);
  for (const name of NOT_METADATA) metadata.remove(name);
  return metadata;
}

/**
 * When the client gives up, in milliseconds since 1970; Infinity: never. It is the client's to keep:
 * it resets the stream then.
 */
export function deadlineOf(headers: IncomingHttpHeaders, arrivedMs: number): Deadline {
  const found = TIMEOUT.exec(String(headers["grpc-timeout"] ?? ""));
  if (found === null) return Number.POSITIVE_INFINITY;
  return arrivedMs + Number(found[1]) * (TIMEOUT_UNITS_MS[found[2] ?? ""] ?? 0);
}

/** @throws StatusError if it is compressed in a way that is not known here, or is none of it. */
export function decompressed(
  message: Buffer,
  headers: IncomingHttpHeaders,
  bytesMax: number,
): Buffer {
  const encoding = String(headers["grpc-encoding"] ?? "identity");
  try {
    const options = { maxOutputLength: bytesMax };
    if (encoding === "gzip") return gunzipSync(message, options);
    if (encoding === "deflate") return inflateSync(message, options);
  } catch (error) {
    const code =
      (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE"
        ? Status.RESOURCE_EXHAUSTED
        : Status.INTERNAL;
    throw new StatusError(code, `cannot decompress the message: ${(error as Error).message}`);
  }
  throw new StatusError(
    Status.UNIMPLEMENTED,
    `cannot decompress the message: expected gzip, deflate or identity, got ${encoding}`,
  );
}

export function tooLong(length: number, bytesMax: number): StatusError {
  return new StatusError(
    Status.RESOURCE_EXHAUSTED,
    `cannot read the message: expected at most ${bytesMax} bytes, got ${length}`,
  );
}

export function isOpen(stream: ServerHttp2Stream): boolean {
  return !stream.destroyed && !stream.closed;
}

/** The only message, and OK. */
export function answer(stream: ServerHttp2Stream, message: Uint8Array): void {
  if (!isOpen(stream)) return;
  stream.respond(HEADERS, WITH_TRAILERS);
  stream.once("wantTrailers", sendOk);
  stream.end(framed(message));
}

function sendOk(this: ServerHttp2Stream): void {
  this.sendTrailers(OK_TRAILERS);
}

/** Headers before the first of many messages. */
export function begin(stream: ServerHttp2Stream): void {
  if (!stream.headersSent) stream.respond(HEADERS, WITH_TRAILERS);
}

/** Ends the call. What still arrives is thrown away. */
export function finish(
  stream: ServerHttp2Stream,
  code: Status,
  details: string,
  metadata: Metadata | null,
): void {
  if (!isOpen(stream)) return;
  const trailers = {
    ...metadata?.toHttp2Headers(),
    "grpc-status": String(code),
    "grpc-message": percentEncoded(details),
  };
  if (stream.headersSent) {
    stream.once("wantTrailers", () => stream.sendTrailers(trailers));
    stream.end();
  } else {
    stream.respond({ ...HEADERS, ...trailers }, AT_ONCE);
  }
  stream.resume();
}

/** What is not printable ASCII, and the percent sign, as the bytes of its UTF-8. */
function percentEncoded(text: string): string {
  return text.replaceAll(/[^ -$&-~]+/g, (part) =>
    Array.from(Buffer.from(part), (byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  );
}
