/** put, get, del, txn, compact: the key-value API. */
import type { MessageShape } from "@bufbuild/protobuf";
import { openSession } from "@raftarium/client";
import type { Outcome, RaftClient } from "@raftarium/client";
import { RangeRequest_SortOrder, RangeRequest_SortTarget } from "@raftarium/protocol/etcd";
import type { KV, TxnResponseSchema } from "@raftarium/protocol/etcd";
import type { KeyValue } from "@raftarium/protocol/mvcc";
import { prefixEnd } from "@raftarium/protocol/kv";
import type { ExitCode } from "./exit-code.ts";
import type { Session } from "./session.ts";
import { bytesOf, jsonOf, showBytes } from "./text.ts";
import { TxnTextError, parseCompare, parseOperation } from "./txn-text.ts";

type Header = MessageShape<typeof KV.method.put.output>["header"];

function headerJson(header: Header): { revision: number; term: number; nodeId: number } {
  return {
    revision: Number(header?.revision ?? 0n),
    term: Number(header?.raftTerm ?? 0n),
    nodeId: Number(header?.memberId ?? 0n),
  };
}

function keyValueJson(kv: KeyValue): object {
  return {
    ...jsonOf("key", kv.key),
    ...jsonOf("value", kv.value),
    createRevision: Number(kv.createRevision),
    modRevision: Number(kv.modRevision),
    version: Number(kv.version),
  };
}

function keyValueText({ key, value }: KeyValue): string {
  return `${showBytes(key)}=${showBytes(value)}`;
}

export interface OnceOption {
  /** In a session: sent again until its outcome is known, and carried out once. */
  readonly once?: boolean | undefined;
}

type Writer = Pick<RaftClient, "put" | "deleteRange" | "txn">;

/** A session that can't be closed ends by itself: not worth waiting for. */
const CLOSE_TIMEOUT_MS = 1000;

async function writing<Value>(
  client: RaftClient,
  once: boolean | undefined,
  write: (writer: Writer) => Promise<Outcome<Value>>,
): Promise<Outcome<Value>> {
  if (once !== true) return write(client);
  const opened = await openSession(client);
  // Whatever became of the session: the write itself was not sent.
  if (opened.outcome !== "ok") return { ...opened, outcome: "failed" };
  const outcome = await write(opened.value);
  await opened.value.close({ timeoutMs: CLOSE_TIMEOUT_MS });
  return outcome;
}

export interface PutOptions extends OnceOption {
  readonly prevKv?: boolean;
  readonly ignoreValue?: boolean;
}

/** Without a value, it is what comes on standard input. */
export async function put(
  session: Session,
  key: string,
  text: string | undefined,
  { prevKv = false, ignoreValue = false, once }: PutOptions,
): Promise<ExitCode> {
  if (ignoreValue && text !== undefined) {
    return session.usage("--ignore-value keeps the value: expected none, got one");
  }
  const given = text === undefined ? null : bytesOf(text);
  const value = ignoreValue ? new Uint8Array(0) : (given ?? (await session.io.readInput()));
  return session.withNodes(async (client) =>
    session.report(
      await writing(client, once, (writer) =>
        writer.put({ key: bytesOf(key), value, prevKv, ignoreValue }),
      ),
      (response) =>
        response.prevKv === undefined ? "OK" : `OK, was ${showBytes(response.prevKv.value)}`,
      (response) => ({
        ...headerJson(response.header),
        ...(response.prevKv === undefined ? {} : { prevKv: keyValueJson(response.prevKv) }),
      }),
    ),
  );
}

export interface GetOptions {
  readonly prefix?: boolean;
  readonly fromKey?: boolean;
  readonly serializable?: boolean;
  readonly rev?: number;
  readonly limit?: number;
  readonly order?: "ascend" | "descend";
  readonly sortBy?: "key" | "version" | "create" | "mod" | "value";
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
}

const SORT_ORDERS = {
  ascend: RangeRequest_SortOrder.ASCEND,
  descend: RangeRequest_SortOrder.DESCEND,
} as const;
const SORT_TARGETS = {
  key: RangeRequest_SortTarget.KEY,
  version: RangeRequest_SortTarget.VERSION,
  create: RangeRequest_SortTarget.CREATE,
  mod: RangeRequest_SortTarget.MOD,
  value: RangeRequest_SortTarget.VALUE,
} as const;

/** All keys that begin with `key`, all keys from it on, or this one. */
function rangeOf(
  key: string,
  { prefix = false, fromKey = false, rangeEnd }: DeleteOptions,
): { key: Uint8Array<ArrayBuffer>; rangeEnd: Uint8Array } {
  const bytes = bytesOf(key);
  const everything = new Uint8Array(1);
  if (prefix && key === "") return { key: everything, rangeEnd: everything };
  if (prefix) return { key: bytes, rangeEnd: prefixEnd(bytes) };
  if (fromKey) return { key: key === "" ? everything : bytes, rangeEnd: everything };
  return { key: bytes, rangeEnd: rangeEnd === undefined ? new Uint8Array(0) : bytesOf(rangeEnd) };
}

export function get(
  session: Session,
  key: string,
  rangeEnd: string | undefined,
  options: GetOptions,
): Promise<ExitCode> {
  const { prefix = false, fromKey = false, serializable = false, rev = 0, limit = 0 } = options;
  const { order, sortBy, keysOnly = false, countOnly = false } = options;
  const many = prefix || fromKey || rangeEnd !== undefined;
  const request = {
    ...rangeOf(key, { prefix, fromKey, rangeEnd }),
    serializable,
    revision: BigInt(rev),
    limit: BigInt(limit),
    keysOnly,
    countOnly,
    sortOrder: order === undefined ? RangeRequest_SortOrder.NONE : SORT_ORDERS[order],
    sortTarget: sortBy === undefined ? RangeRequest_SortTarget.KEY : SORT_TARGETS[sortBy],
  };
  return session.withNodes(async (client) =>
    session.report(
      await client.range(request),
      ({ kvs, count, more }) => {
        if (countOnly) return String(count);
        if (keysOnly) return linesOf(kvs.map((kv) => showBytes(kv.key)));
        if (more) session.io.complain(`${kvs.length} of ${count} keys`);
        if (many) return linesOf(kvs.map(keyValueText));
        const [found] = kvs;
        if (found === undefined) {
          session.io.complain(`no such key: ${showBytes(bytesOf(key))}`);
          return null;
        }
        if (session.io.terminal) return showBytes(found.value);
        session.io.write(found.value);
        return "";
      },
      ({ header, kvs, count, more }) => ({
        ...headerJson(header),
        kvs: kvs.map(keyValueJson),
        count: Number(count),
        more,
      }),
    ),
  );
}

function linesOf(lines: readonly string[]): string | null {
  return lines.length === 0 ? null : lines.join("\n");
}

export interface DeleteOptions extends OnceOption {
  readonly prefix?: boolean | undefined;
  readonly fromKey?: boolean | undefined;
  readonly prevKv?: boolean | undefined;
  readonly rangeEnd?: string | undefined;
}

export function del(session: Session, key: string, options: DeleteOptions): Promise<ExitCode> {
  const { prevKv = false, once } = options;
  return session.withNodes(async (client) =>
    session.report(
      await writing(client, once, (writer) =>
        writer.deleteRange({ ...rangeOf(key, options), prevKv }),
      ),
      ({ deleted, prevKvs }) => [String(deleted), ...prevKvs.map(keyValueText)].join("\n"),
      ({ header, deleted, prevKvs }) => ({
        ...headerJson(header),
        deleted: Number(deleted),
        prevKvs: prevKvs.map(keyValueJson),
      }),
    ),
  );
}

export interface TxnOptions extends OnceOption {
  readonly if: readonly string[];
  readonly then: readonly string[];
  readonly else: readonly string[];
}

export function txn(session: Session, options: TxnOptions): Promise<ExitCode> {
  try {
    const request = {
      compare: options.if.map(parseCompare),
      success: options.then.map(parseOperation),
      failure: options.else.map(parseOperation),
    };
    return session.withNodes(async (client) =>
      session.report(
        await writing(client, options.once, (writer) => writer.txn(request)),
        txnText,
        (response) => ({
          ...headerJson(response.header),
          succeeded: response.succeeded,
          responses: response.responses.map(operationJson),
        }),
      ),
    );
  } catch (error) {
    if (error instanceof TxnTextError) return Promise.resolve(session.usage(error.message));
    throw error;
  }
}

type TxnResponse = MessageShape<typeof TxnResponseSchema>;
type ResponseOp = TxnResponse["responses"][number];

function txnText({ succeeded, responses }: TxnResponse): string {
  const lines = responses.flatMap(({ response }) => {
    switch (response.case) {
      case "responseRange":
        return response.value.kvs.map(keyValueText);
      case "responsePut":
        return ["OK"];
      case "responseDeleteRange":
        return [String(response.value.deleted)];
      case "responseTxn":
        return [txnText(response.value)];
      case undefined:
        return [];
    }
  });
  return [succeeded ? "SUCCESS" : "FAILURE", ...lines].join("\n");
}

function operationJson({ response }: ResponseOp): object {
  switch (response.case) {
    case "responseRange":
      return { kvs: response.value.kvs.map(keyValueJson), count: Number(response.value.count) };
    case "responsePut":
      return { put: true };
    case "responseDeleteRange":
      return { deleted: Number(response.value.deleted) };
    case "responseTxn":
      return {
        succeeded: response.value.succeeded,
        responses: response.value.responses.map(operationJson),
      };
    case undefined:
      return {};
  }
}

export function compact(session: Session, revision: number): Promise<ExitCode> {
  return session.withNodes(async (client) =>
    session.report(
      await client.compact({ revision: BigInt(revision) }),
      () => `compacted revision ${revision}`,
      ({ header }) => headerJson(header),
    ),
  );
}
