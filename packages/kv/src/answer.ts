/** What `query` answers, as bytes: for those who reach the machine by opaque questions. */
import { ByteReader, ByteWriter } from "./byte-stream.ts";
import { malformed } from "./errors.ts";
import type { KeyValue, KvErrorCode, KvResult, RangeResponse } from "./types.ts";
import { bytesOf, nameOf } from "./bytes.ts";

const OK = 0;
const FAILED = 1;
const CODES: readonly KvErrorCode[] = ["invalid-argument", "out-of-range", "not-found"];

export function encodeAnswer(result: KvResult<RangeResponse>): Uint8Array {
  const writer = new ByteWriter();
  if (!result.ok) {
    writer.byte(FAILED);
    writer.byte(CODES.indexOf(result.code));
    writer.bytes(bytesOf(result.message));
    return writer.take();
  }
  const { revision, more, count, kvs } = result.response;
  writer.byte(OK);
  writer.varint(revision);
  writer.byte(more ? 1 : 0);
  writer.varint(count);
  writer.varint(kvs.length);
  for (const kv of kvs) {
    writer.bytes(kv.key);
    writer.bytes(kv.value);
    writer.varint(kv.createRevision);
    writer.varint(kv.modRevision);
    writer.varint(kv.version);
  }
  return writer.take();
}

/** The answer to `encodeRange(request)`. Bytes that are no answer give a failure, not a throw. */
export function decodeAnswer(bytes: Uint8Array): KvResult<RangeResponse> {
  const reader = new ByteReader(bytes);
  const kind = reader.byte();
  if (kind === FAILED) {
    const code = CODES[reader.byte()];
    const message = nameOf(reader.bytes());
    if (code !== undefined && !reader.failed) return { ok: false, code, message };
  }
  const revision = reader.varint();
  const more = reader.byte() === 1;
  const count = reader.varint();
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
  if (kind !== OK || reader.failed) return malformed("range answer", bytes);
  return { ok: true, response: { kind: "range", revision, kvs, more, count } };
}
