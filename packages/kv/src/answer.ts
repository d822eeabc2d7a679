/** What `query` answers, as bytes: for those who reach the machine by opaque questions. */
import { malformed } from "./errors.ts";
import { decodeResult, encodeResult } from "./result.ts";
import type { KvResult, RangeResponse } from "./types.ts";

export function encodeAnswer(result: KvResult<RangeResponse>): Uint8Array {
  return encodeResult(result);
}

/** The answer to `encodeRange(request)`. Bytes that are no answer give a failure, not a throw. */
export function decodeAnswer(bytes: Uint8Array): KvResult<RangeResponse> {
  const result = decodeResult(bytes);
  if (!result.ok) return result;
  const { response } = result;
  return response.kind === "range" ? { ok: true, response } : malformed("range answer", bytes);
}
