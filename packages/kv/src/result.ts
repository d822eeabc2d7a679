/**
 * What `apply` answers, as bytes: for those who keep an answer to give it again. First which
 * response it is, then its fields; a failure begins with zero.
 */
import { ByteReader, ByteWriter } from "./byte-stream.ts";
import { bytesOf, textOf } from "./bytes.ts";
import { malformed } from "./errors.ts";
import type {
  DeleteRangeResponse,
  KeyValue,
  KvErrorCode,
  KvFailure,
  KvResponse,
  KvResult,
  OperationResponse,
  PutResponse,
  RangeResponse,
  TxnResponse,
} from "./types.ts";

const FAILED = 0;
const KINDS = ["put", "delete-range", "txn", "compact", "range"] as const;
const CODES: readonly KvErrorCode[] = ["invalid-argument", "out-of-range", "not-found"];

export function encodeResult(result: KvResult): Uint8Array {
  const writer = new ByteWriter();
  if (result.ok) {
    writeResponse(writer, result.response);
  } else {
    writer.byte(FAILED);
    writer.byte(CODES.indexOf(result.code));
    writer.bytes(bytesOf(result.message));
  }
  return writer.take();
}

/** Bytes that are no result give a failure, not a throw. */
export function decodeResult(bytes: Uint8Array): KvResult {
  const reader = new ByteReader(bytes);
  const kind = reader.byte();
  const result = kind === FAILED ? readFailure(reader) : readSuccess(reader, kind);
  return reader.failed || reader.remaining > 0 ? malformed("result", bytes) : result;
}

function readFailure(reader: ByteReader): KvFailure {
  const code = CODES[reader.byte()];
  if (code === undefined) reader.fail();
  return { ok: false, code: code ?? "invalid-argument", message: textOf(reader.bytes()) };
}

function readSuccess(reader: ByteReader, kind: number): KvResult {
  return { ok: true, response: readResponse(reader, kind) };
}

function writeResponse(writer: ByteWriter, response: KvResponse): void {
  writer.byte(KINDS.indexOf(response.kind) + 1);
  writer.varint(response.revision);
  switch (response.kind) {
    case "put":
      writeKeyValues(writer, response.prevKv === null ? [] : [response.prevKv]);
      return;
    case "delete-range":
      writer.varint(response.deleted);
      writeKeyValues(writer, response.prevKvs);
      return;
    case "txn":
      writer.byte(response.succeeded ? 1 : 0);
      writer.varint(response.responses.length);
      for (const inner of response.responses) writeResponse(writer, inner);
      return;
    case "range":
      writer.byte(response.more ? 1 : 0);
      writer.varint(response.count);
      writeKeyValues(writer, response.kvs);
      return;
    case "compact":
      return;
  }
}

function readResponse(reader: ByteReader, kindByte: number): KvResponse {
  const kind = KINDS[kindByte - 1];
  const revision = reader.varint();
  switch (kind) {
    case "put":
      return { kind, revision, prevKv: readKeyValues(reader)[0] ?? null } satisfies PutResponse;
    case "delete-range": {
      const deleted = reader.varint();
      return {
        kind,
        revision,
        deleted,
        prevKvs: readKeyValues(reader),
      } satisfies DeleteRangeResponse;
    }
    case "txn": {
      const succeeded = reader.byte() === 1;
      const responses: OperationResponse[] = [];
      for (let left = reader.count(); left > 0 && !reader.failed; left -= 1) {
        responses.push(readResponse(reader, reader.byte()) as OperationResponse);
      }
      return { kind, revision, succeeded, responses } satisfies TxnResponse;
    }
    case "range": {
      const more = reader.byte() === 1;
      const count = reader.varint();
      return { kind, revision, more, count, kvs: readKeyValues(reader) } satisfies RangeResponse;
    }
    case "compact":
      return { kind, revision };
    default:
      kind satisfies undefined;
      reader.fail();
      return { kind: "compact", revision };
  }
}

function writeKeyValues(writer: ByteWriter, kvs: readonly KeyValue[]): void {
  writer.varint(kvs.length);
  for (const kv of kvs) {
    writer.bytes(kv.key);
    writer.bytes(kv.value);
    writer.varint(kv.createRevision);
    writer.varint(kv.modRevision);
    writer.varint(kv.version);
  }
}

function readKeyValues(reader: ByteReader): KeyValue[] {
  const kvs: KeyValue[] = [];
  for (let left = reader.count(); left > 0 && !reader.failed; left -= 1) {
    kvs.push({
      key: reader.bytes(),
      value: reader.bytes(),
      createRevision: reader.varint(),
      modRevision: reader.varint(),
      version: reader.varint(),
    });
  }
  return kvs;
}
