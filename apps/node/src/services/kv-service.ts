/** etcdserverpb.KV over the key-value machine. */
import type { DescMessage, DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import type { sendUnaryData } from "@grpc/grpc-js";
import { describeRequest, encodeCommand, encodePut, isReadOnly, validate } from "@raftarium/kv";
import type { Command, KvFailure, KvResponse, KvResult, Operation } from "@raftarium/kv";
import { isSessionNotice, loggedCommand } from "@raftarium/node";
import type { SessionNotice } from "@raftarium/node";
import type { StatusError, ServiceImplementation } from "@raftarium/protocol/grpc";
import { KV } from "@raftarium/protocol/etcd";
import type { TxnRequest } from "@raftarium/protocol/etcd";
import type { Answerer } from "@raftarium/protocol/kv";
import {
  compactFromWire,
  compactToWire,
  deleteRangeFromWire,
  deleteRangeToWire,
  putFromWire,
  putToWire,
  rangeFromWire,
  rangeToWire,
  txnFromWire,
  txnToWire,
} from "@raftarium/protocol/kv";
import { kvFailure } from "./failure.ts";
import type { Hosted } from "./host.ts";
import type { Identity } from "./identity.ts";
import type { Reads } from "./reads.ts";
import { Request } from "./request.ts";
import type { AnyCall, Requests } from "./request.ts";
import { refusalBySession } from "./session.ts";
import type { WriteKind, Writes } from "./writes.ts";

type KvHosted = Extract<Hosted, { readonly kind: "kv" }>;

export interface KvServiceParts {
  readonly hosted: KvHosted;
  readonly identity: Identity;
  readonly requests: Requests;
  readonly reads: Reads;
  readonly writes: Writes;
}

export function kvService(parts: KvServiceParts): ServiceImplementation<typeof KV> {
  const { hosted, identity, requests, reads, writes } = parts;
  const { machine, limits } = hosted;
  const put = writeKind(parts, KV.method.put, "put", putToWire);
  const deleteRange = writeKind(parts, KV.method.deleteRange, "delete-range", deleteRangeToWire);
  const txn = writeKind(parts, KV.method.txn, "txn", txnToWire);
  const compact = writeKind(parts, KV.method.compact, "compact", compactToWire);

  /** What `apply` would refuse in any state is refused here, without a log entry. */
  const accepted = <Asked extends Operation | Exclude<Command, Operation>>(
    method: string,
    request: Asked | KvFailure,
    call: AnyCall,
    done: sendUnaryData<never>,
  ): request is Asked => {
    const failure = "ok" in request ? request : validate(request, limits);
    if (failure === null) return true;
    const refused = new Request(requests, method, call, done);
    const describe = (): string => ("ok" in request ? method : describeRequest(request));
    refused.start(describe, method !== "Range");
    refused.fail(kvFailure(failure));
    return false;
  };

  return {
    range(call, done) {
      const request = rangeFromWire(call.request);
      if (!accepted("Range", request, call, done)) return;
      const look = (): MessageInitShape<typeof KV.method.range.output> | StatusError =>
        answerOf(machine.range(request), (response) => rangeToWire(response, identity.now()));
      const describe = (): string => describeRequest(request);
      reads.read(
        { method: "Range", serializable: call.request.serializable, describe, look },
        call,
        done,
      );
    },
    put(call, done) {
      const request = putFromWire(call.request);
      if (!accepted("Put", request, call, done)) return;
      const { key, value, prevKv, ignoreValue, ignoreLease } = request;
      writes.write(put, encodePut(key, value, prevKv, ignoreValue, ignoreLease), call, done);
    },
    deleteRange(call, done) {
      const request = deleteRangeFromWire(call.request);
      if (accepted("DeleteRange", request, call, done))
        writes.write(deleteRange, encodeCommand(request), call, done);
    },
    txn(call, done) {
      const request = txnFromWire(call.request);
      if (!accepted("Txn", request, call, done)) return;
      if (!isReadOnly(request)) {
        writes.write(txn, encodeCommand(request), call, done);
        return;
      }
      const look = (): MessageInitShape<typeof KV.method.txn.output> | StatusError =>
        answerOf(machine.readTxn(request), (response) => txnToWire(response, identity.now()));
      const describe = (): string => describeRequest(request);
      const serializable = isSerializable(call.request);
      reads.read({ method: "Txn", serializable, describe, look }, call, done);
    },
    compact(call, done) {
      const request = compactFromWire(call.request);
      if (accepted("Compact", request, call, done))
        writes.write(compact, encodeCommand(request), call, done);
    },
  };
}

function writeKind<I extends DescMessage, O extends DescMessage, Kind extends KvResponse["kind"]>(
  { hosted, identity }: KvServiceParts,
  method: DescMethodUnary<I, O>,
  kind: Kind,
  toWire: (
    response: Extract<KvResponse, { readonly kind: Kind }>,
    answerer: Answerer,
  ) => MessageInitShape<O>,
): WriteKind<I, O, Uint8Array, KvResult | SessionNotice> {
  return {
    method,
    propose: (command, done, onAccepted) => hosted.node.propose(command, done, onAccepted),
    logged: loggedCommand,
    describe: (command) => hosted.machine.describe(command),
    answer: (result, _index, term) => {
      if (isSessionNotice(result)) return refusalBySession(result);
      return answerOf(result, (response) => {
        if (response.kind !== kind) {
          throw new Error(`cannot answer ${method.name}: expected ${kind}, got ${response.kind}`);
        }
        const expected = response as Extract<KvResponse, { readonly kind: Kind }>;
        return toWire(expected, identity.inTerm(term));
      });
    },
  };
}

function answerOf<Response extends KvResponse, Wire>(
  result: KvResult<Response>,
  toWire: (response: Response) => Wire,
): Wire | StatusError {
  return result.ok ? toWire(result.response) : kvFailure(result);
}

/** As in etcd: every range in it, in either branch, asks for no more than this node's state. */
function isSerializable({ success, failure }: TxnRequest): boolean {
  return [...success, ...failure].every(
    ({ request }) => request.case === "requestRange" && request.value.serializable,
  );
}
