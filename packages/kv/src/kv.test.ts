/** etcd's rules, one test each. Revisions: a fresh store is at 1, so the first write makes 2. */
import { describe, expect, test } from "vitest";
import { bytesOf, nameOf, prefixEnd, textOf } from "./bytes.ts";
import { encodeCommand, encodePut } from "./command.ts";
import { ERRORS } from "./errors.ts";
import { createKv } from "./machine.ts";
import type { KvMachine } from "./machine.ts";
import type {
  Command,
  Compare,
  KvResponse,
  KvResult,
  Operation,
  RangeRequest,
  TxnRequest,
} from "./types.ts";
import { validate } from "./validate.ts";

const NO_END = new Uint8Array(1);
const ALL = { key: NO_END, rangeEnd: NO_END };

function put(key: string, value: string, options: object = {}): Operation {
  return { kind: "put", key: bytesOf(key), value: bytesOf(value), ...options };
}

function del(key: string, rangeEnd?: string): Operation {
  const range = {
    key: bytesOf(key),
    ...(rangeEnd === undefined ? {} : { rangeEnd: bytesOf(rangeEnd) }),
  };
  return { kind: "delete-range", ...range };
}

function range(key: string, options: object = {}): RangeRequest {
  return { kind: "range", key: bytesOf(key), ...options };
}

function txn(parts: Partial<TxnRequest>): TxnRequest {
  return { kind: "txn", compare: [], success: [], failure: [], ...parts };
}

function apply(machine: KvMachine, command: Operation | Command): KvResult {
  return machine.apply(encodeCommand(command as Command), 1).result;
}

function responseOf<Response extends KvResponse>(result: KvResult<Response>): Response {
  if (!result.ok) throw new Error(result.message);
  return result.response;
}

function all(machine: KvMachine, options: object = {}): string[] {
  const found = machine.range({ kind: "range", ...ALL, ...options });
  return responseOf(found).kvs.map(({ key, value }) => `${nameOf(key)}=${nameOf(value)}`);
}

/** revision, create, mod, version of a key. */
function numbersOf(machine: KvMachine, key: string): number[] {
  const { revision, kvs } = responseOf(machine.range(range(key)));
  const [kv] = kvs;
  if (kv === undefined) return [revision];
  return [revision, kv.createRevision, kv.modRevision, kv.version];
}

describe("revisions", () => {
  test("a fresh store is at revision 1, and all of it can be read", () => {
    const kv = createKv();
    expect(numbersOf(kv, "a")).toEqual([1]);
    expect(kv.stats()).toMatchObject({ revision: 1, compactedRevision: -1, versionCount: 0 });
  });

  test("a put makes a revision; the key keeps its create revision and counts its versions", () => {
    const kv = createKv();
    apply(kv, put("a", "1"));
    expect(numbersOf(kv, "a")).toEqual([2, 2, 2, 1]);
    apply(kv, put("b", "1"));
    apply(kv, put("a", "1"));
    // The same value counts all the same.
    expect(numbersOf(kv, "a")).toEqual([4, 2, 4, 2]);
  });

  test("a key that is put after its deletion starts over", () => {
    const kv = createKv();
    apply(kv, put("a", "1"));
    apply(kv, put("a", "2"));
    apply(kv, del("a"));
    apply(kv, put("a", "3"));
    expect(numbersOf(kv, "a")).toEqual([5, 5, 5, 1]);
  });

  test("a deletion of nothing makes no revision, a deletion of many makes one", () => {
    const kv = createKv();
    expect(apply(kv, del("a"))).toEqual({
      ok: true,
      response: { kind: "delete-range", revision: 1, deleted: 0, prevKvs: [] },
    });
    for (const key of ["a", "b", "c"]) apply(kv, put(key, "1"));
    expect(apply(kv, del("a", "c"))).toMatchObject({ response: { revision: 5, deleted: 2 } });
    expect(all(kv)).toEqual(["c=1"]);
  });

  test("a txn makes one revision for all of its writes, and none if it writes nothing", () => {
    const kv = createKv();
    const written = apply(kv, txn({ success: [put("a", "1"), put("b", "2"), range("a")] }));
    expect(written).toMatchObject({
      response: {
        revision: 2,
        responses: [{ revision: 2 }, { revision: 2 }, { revision: 2, kvs: [{ modRevision: 2 }] }],
      },
    });
    expect(apply(kv, txn({ success: [del("nothing")] }))).toMatchObject({
      response: { revision: 2 },
    });
  });
});

describe("put", () => {
  test("answers with what was there before, if asked", () => {
    const kv = createKv();
    apply(kv, put("a", "1"));
    expect(responseOf(apply(kv, put("a", "2"))).kind === "put").toBe(true);
    expect(apply(kv, put("a", "3", { prevKv: true }))).toMatchObject({
      response: { prevKv: { value: bytesOf("2"), modRevision: 3, version: 2 } },
    });
    expect(apply(kv, put("new", "1", { prevKv: true }))).toMatchObject({
      response: { prevKv: null },
    });
  });

  test("ignore_value keeps the value and makes a new version; the key must exist", () => {
    const kv = createKv();
    expect(apply(kv, put("a", "", { ignoreValue: true }))).toEqual(ERRORS.keyNotFound);
    apply(kv, put("a", "1"));
    apply(kv, put("a", "", { ignoreValue: true }));
    expect(all(kv)).toEqual(["a=1"]);
    expect(numbersOf(kv, "a")).toEqual([3, 2, 3, 2]);
    expect(validate(put("a", "2", { ignoreValue: true }))).toEqual(ERRORS.valueProvided);
    expect(apply(kv, put("zz", "2", { ignoreLease: true }))).toEqual(ERRORS.keyNotFound);
  });

  test("keeps its own copy of key and value", () => {
    const kv = createKv();
    const command = encodePut(bytesOf("a"), bytesOf("1"));
    kv.apply(command, 1);
    command.fill(0);
    expect(all(kv)).toEqual(["a=1"]);
  });
});

describe("range", () => {
  function filled(): KvMachine {
    const kv = createKv();
    for (const [key, value] of [
      ["a", "3"],
      ["ab", "1"],
      ["b", "2"],
      ["b", "2"],
      ["c", "0"],
    ] as const) {
      apply(kv, put(key, value));
    }
    return kv;
  }

  test("no end: one key; a zero byte: all keys from here on; else up to the end", () => {
    const kv = filled();
    const keys = (key: string, rangeEnd: Uint8Array): string[] =>
      all(kv, { key: bytesOf(key), rangeEnd }).map((row) => row.split("=")[0] ?? "");
    expect(keys("a", new Uint8Array(0))).toEqual(["a"]);
    expect(keys("b", NO_END)).toEqual(["b", "c"]);
    expect(keys("a", bytesOf("b"))).toEqual(["a", "ab"]);
    expect(keys("b", bytesOf("a"))).toEqual([]);
    expect(keys("a", prefixEnd(bytesOf("a")))).toEqual(["a", "ab"]);
  });

  test("the end of a prefix: the last byte below 0xff is raised, what follows is dropped", () => {
    expect(prefixEnd(Uint8Array.of(97))).toEqual(Uint8Array.of(98));
    expect(prefixEnd(Uint8Array.of(97, 255, 255))).toEqual(Uint8Array.of(98));
    expect(prefixEnd(Uint8Array.of(255, 255))).toEqual(NO_END);
    expect(prefixEnd(new Uint8Array(0))).toEqual(NO_END);
  });

  test("count tells of all keys in the range, more of a limit that cut something off", () => {
    const kv = filled();
    const limited = responseOf(kv.range({ kind: "range", ...ALL, limit: 3 }));
    expect([limited.kvs.length, limited.count, limited.more]).toEqual([3, 4, true]);
    const fitting = responseOf(kv.range({ kind: "range", ...ALL, limit: 4 }));
    expect([fitting.kvs.length, fitting.count, fitting.more]).toEqual([4, 4, false]);
    const counted = responseOf(kv.range({ kind: "range", ...ALL, countOnly: true }));
    expect([counted.kvs.length, counted.count, counted.more]).toEqual([0, 4, false]);
    const filtered = responseOf(kv.range({ kind: "range", ...ALL, minModRevision: 6 }));
    expect([filtered.kvs.length, filtered.count]).toEqual([1, 4]);
  });

  test("sorts by key, version, create, mod or value; then the limit applies", () => {
    const kv = filled();
    const sorted = (sortTarget: string, sortOrder: string, limit = 0): string =>
      all(kv, { sortTarget, sortOrder, limit })
        .map((row) => row.split("=")[0])
        .join(" ");
    expect(sorted("key", "none")).toBe("a ab b c");
    expect(sorted("key", "descend", 2)).toBe("c b");
    expect(sorted("value", "ascend")).toBe("c ab b a");
    expect(sorted("version", "descend", 1)).toBe("b");
    expect(sorted("mod", "descend")).toBe("c b ab a");
    expect(sorted("create", "descend", 1)).toBe("c");
    // Another target without an order is ascending.
    expect(sorted("value", "none", 1)).toBe("c");
  });

  test("filters by create and mod revision", () => {
    const kv = filled();
    expect(all(kv, { minModRevision: 3, maxModRevision: 5 })).toEqual(["ab=1", "b=2"]);
    expect(all(kv, { minCreateRevision: 4 })).toEqual(["b=2", "c=0"]);
    expect(all(kv, { maxCreateRevision: 2 })).toEqual(["a=3"]);
  });

  test("keys only leaves the values out", () => {
    expect(all(filled(), { keysOnly: true })).toEqual(["a=", "ab=", "b=", "c="]);
  });

  test("an old revision shows what was there then; the header has the newest revision", () => {
    const kv = createKv();
    apply(kv, put("a", "1"));
    apply(kv, del("a"));
    apply(kv, put("a", "2"));
    expect(all(kv, { revision: 2 })).toEqual(["a=1"]);
    expect(all(kv, { revision: 3 })).toEqual([]);
    expect(responseOf(kv.range(range("a", { revision: 2 }))).revision).toBe(4);
    expect(kv.range(range("a", { revision: 5 }))).toEqual(ERRORS.futureRevision);
  });
});

describe("txn", () => {
  const compare = (
    key: string,
    target: string,
    result: string,
    operand: number | string,
  ): Compare =>
    ({
      key: bytesOf(key),
      target,
      result,
      operand: typeof operand === "string" ? bytesOf(operand) : operand,
    }) as Compare;
  const succeeds = (kv: KvMachine, ...compares: Compare[]): boolean => {
    const response = responseOf(apply(kv, txn({ compare: compares })));
    return response.kind === "txn" && response.succeeded;
  };

  test("all compares must hold; a missing key compares as zeros", () => {
    const kv = createKv();
    apply(kv, put("a", "1"));
    expect(succeeds(kv)).toBe(true);
    expect(succeeds(kv, compare("a", "value", "equal", "1"))).toBe(true);
    expect(succeeds(kv, compare("a", "value", "greater", "0"))).toBe(true);
    expect(succeeds(kv, compare("a", "mod", "less", 3))).toBe(true);
    expect(succeeds(kv, compare("a", "version", "not-equal", 1))).toBe(false);
    const holds = compare("a", "create", "equal", 2);
    expect(succeeds(kv, holds, compare("b", "create", "equal", 0))).toBe(true);
    expect(succeeds(kv, holds, compare("b", "create", "greater", 0))).toBe(false);
    expect(succeeds(kv, compare("a", "lease", "equal", 0))).toBe(true);
  });

  test("a compare with the value of a missing key never holds, not even not-equal", () => {
    const kv = createKv();
    for (const result of ["equal", "not-equal", "less", "greater"]) {
      expect(succeeds(kv, compare("a", "value", result, "x"))).toBe(false);
    }
  });

  test("a compare of a range must hold for every key in it", () => {
    const kv = createKv();
    apply(kv, put("a", "1"));
    apply(kv, put("b", "2"));
    const over = (operand: number): Compare => ({
      ...ALL,
      target: "mod",
      result: "less",
      operand,
    });
    expect(succeeds(kv, over(4))).toBe(true);
    expect(succeeds(kv, over(3))).toBe(false);
  });

  test("operations see what earlier ones wrote; compares of nested txns do not", () => {
    const kv = createKv();
    const nested = txn({
      compare: [compare("a", "version", "equal", 0)],
      success: [range("a")],
    });
    const result = apply(kv, txn({ success: [put("a", "1"), nested] }));
    expect(result).toMatchObject({
      response: {
        responses: [{}, { succeeded: true, responses: [{ kvs: [{ value: bytesOf("1") }] }] }],
      },
    });
  });

  test("all or nothing: what can't be done is refused before anything is written", () => {
    const kv = createKv();
    const refusals = [
      [put("b", "", { ignoreValue: true }), ERRORS.keyNotFound],
      [range("a", { revision: 99 }), ERRORS.futureRevision],
    ] as const;
    for (const [operation, error] of refusals) {
      expect(apply(kv, txn({ success: [put("a", "1"), operation] }))).toEqual(error);
      expect(apply(kv, txn({ success: [put("a", "1"), txn({ success: [operation] })] }))).toEqual(
        error,
      );
      // The branch that is not taken is not held against it.
      const other = { compare: [compare("x", "version", "greater", 0)], success: [operation] };
      expect(apply(kv, txn(other))).toMatchObject({ ok: true });
    }
    expect(all(kv)).toEqual([]);
    expect(kv.stats().revision).toBe(1);
  });

  test("a key may be put once, and not together with its deletion", () => {
    const refused = [
      [put("a", "1"), put("a", "2")],
      [del("a", "c"), put("b", "1")],
      [put("b", "1"), del("a", "c")],
      [put("a", "1"), txn({ success: [put("a", "2")] })],
      [put("a", "1"), txn({ failure: [put("a", "2")] })],
      [del("a"), txn({ failure: [put("a", "2")] })],
      [txn({ success: [put("a", "1")] }), txn({ success: [put("a", "2")] })],
      [txn({ success: [del("a")] }), put("a", "1")],
      [txn({ failure: [del("a")] }), put("a", "1")],
      [{ kind: "delete-range", ...ALL } satisfies Operation, put("b", "1")],
    ];
    for (const operations of refused) {
      expect(validate(txn({ success: operations }))).toEqual(ERRORS.duplicateKey);
      expect(validate(txn({ failure: operations }))).toEqual(ERRORS.duplicateKey);
      expect(apply(createKv(), txn({ success: operations }))).toEqual(ERRORS.duplicateKey);
    }
    const allowed = [
      [put("a", "1"), put("b", "2")],
      [del("a", "c"), put("c", "1")],
      [del("a"), del("a", "c"), del("b")],
      [put("a", "1"), range("a"), range("a")],
      [txn({ success: [put("a", "1")], failure: [put("a", "2")] })],
    ];
    for (const operations of allowed) expect(validate(txn({ success: operations }))).toBeNull();
    expect(validate(txn({ success: [put("a", "1")], failure: [put("a", "2")] }))).toBeNull();
  });

  test("at most 128 operations, those around a nested txn counted in", () => {
    const many = (count: number): Operation[] =>
      Array.from({ length: count }, (_, index) => range(`k${index}`));
    expect(validate(txn({ success: many(128) }))).toBeNull();
    expect(validate(txn({ success: many(129) }))).toEqual(ERRORS.tooManyOperations);
    expect(validate(txn({ failure: many(129) }))).toEqual(ERRORS.tooManyOperations);
    const compares = Array.from({ length: 129 }, () => compare("a", "mod", "equal", 0));
    expect(validate(txn({ compare: compares }))).toEqual(ERRORS.tooManyOperations);
    expect(validate(txn({ success: [txn({ success: many(127) })] }))).toBeNull();
    expect(validate(txn({ success: [txn({ success: many(128) })] }))).toEqual(
      ERRORS.tooManyOperations,
    );
  });

  test("a revision below 0 is the newest for a range alone, and a compacted one in a txn", () => {
    const kv = createKv();
    apply(kv, put("a", "1"));
    const strange = range("a", { revision: -2 });
    expect(kv.range(strange)).toMatchObject({ response: { count: 1 } });
    expect(kv.readTxn(txn({ success: [strange] }))).toEqual(ERRORS.compacted);
  });

  test("a txn of ranges can be answered without the log, one with a write can't", () => {
    const kv = createKv();
    apply(kv, put("a", "1"));
    expect(kv.readTxn(txn({ success: [range("a")] }))).toMatchObject({
      response: { succeeded: true, revision: 2, responses: [{ count: 1 }] },
    });
    expect(() => kv.readTxn(txn({ success: [put("a", "2")] }))).toThrow(/expected ranges only/);
    expect(() => kv.readTxn(txn({ failure: [txn({})] }))).toThrow(/expected ranges only/);
  });
});

describe("validate", () => {
  test("a key must be given, everywhere", () => {
    const empty = [
      put("", "1"),
      del(""),
      range(""),
      txn({ success: [put("", "1")] }),
      txn({ compare: [{ key: bytesOf(""), target: "mod", result: "equal", operand: 0 }] }),
      txn({ failure: [txn({ success: [del("")] })] }),
    ];
    for (const request of empty) expect(validate(request)).toEqual(ERRORS.emptyKey);
  });

  test("a request may have 1.5 MiB", () => {
    const value = (bytes: number): Operation => ({
      kind: "put",
      key: bytesOf("k"),
      value: new Uint8Array(bytes),
    });
    const limit = 1.5 * 1024 * 1024;
    expect(validate(value(limit - 16))).toBeNull();
    expect(validate(value(limit))).toEqual(ERRORS.requestTooLarge);
    const halves = [put("a", ""), { ...value(limit / 2), key: bytesOf("b") } as Operation];
    expect(validate(txn({ success: halves }))).toBeNull();
    expect(validate(txn({ success: halves, failure: [value(limit / 2)] }))).toEqual(
      ERRORS.requestTooLarge,
    );
  });

  test("there are no leases yet", () => {
    expect(validate(put("a", "1", { lease: 7n }))).toEqual(ERRORS.leaseNotFound);
    expect(validate(put("a", "1", { lease: 7n, ignoreLease: true }))).toEqual(ERRORS.leaseProvided);
  });
});

describe("compaction", () => {
  function filled(options: object = {}): KvMachine {
    const kv = createKv(options);
    for (const value of ["1", "2", "3"]) apply(kv, put("a", value));
    apply(kv, put("b", "1"));
    apply(kv, del("b"));
    return kv;
  }

  test("refuses what is older; the compacted revision itself can be read", () => {
    const kv = filled();
    expect(apply(kv, { kind: "compact", revision: 3 })).toEqual({
      ok: true,
      response: { kind: "compact", revision: 6 },
    });
    expect(kv.range(range("a", { revision: 2 }))).toEqual(ERRORS.compacted);
    expect(all(kv, { revision: 3 })).toEqual(["a=2"]);
    expect(all(kv, { revision: 5 })).toEqual(["a=3", "b=1"]);
    expect(all(kv)).toEqual(["a=3"]);
  });

  test("goes forward only, and never beyond the newest revision", () => {
    const kv = filled();
    expect(apply(kv, { kind: "compact", revision: 7 })).toEqual(ERRORS.futureRevision);
    apply(kv, { kind: "compact", revision: 4 });
    expect(apply(kv, { kind: "compact", revision: 4 })).toEqual(ERRORS.compacted);
    expect(apply(kv, { kind: "compact", revision: 3 })).toEqual(ERRORS.compacted);
  });

  test("frees what nobody can read any more, and keeps the newest version of a live key", () => {
    const kv = filled();
    apply(kv, { kind: "compact", revision: 6 });
    // Memory is freed by the next writes.
    apply(kv, { kind: "compact", revision: 0 });
    expect(kv.stats()).toMatchObject({ versionCount: 1, revision: 6 });
    expect(numbersOf(kv, "a")).toEqual([6, 2, 4, 3]);
    apply(kv, put("b", "again"));
    expect(numbersOf(kv, "b")).toEqual([7, 7, 7, 1]);
  });

  test("is proposed once the history is half as long again as it may be", () => {
    const kv = createKv({ historyRevisionsMax: 10 });
    for (let count = 0; count < 15; count += 1) apply(kv, put("a", "1"));
    expect(kv.maintenance()).toBeNull();
    apply(kv, put("a", "1"));
    const command = kv.maintenance();
    expect(command).toEqual(encodeCommand({ kind: "compact", revision: 7 }));
    kv.apply(command as Uint8Array, 1);
    expect(kv.maintenance()).toBeNull();
    expect(kv.range(range("a", { revision: 6 }))).toEqual(ERRORS.compacted);
    expect(kv.range(range("a", { revision: 7 }))).toMatchObject({ ok: true });
  });

  test("200,000 puts over ten thousand keys leave a history of bounded size", () => {
    const kv = createKv({ historyRevisionsMax: 1000 });
    const commands = Array.from({ length: 10_000 }, (_, index) =>
      encodePut(bytesOf(`key-${index}`), new Uint8Array(16)),
    );
    let versionsMax = 0;
    for (let count = 0; count < 200_000; count += 1) {
      kv.apply(commands[(count * 7919) % commands.length] as Uint8Array, count);
      if (count % 1000 > 0) continue;
      const compaction = kv.maintenance();
      if (compaction !== null) kv.apply(compaction, count);
      versionsMax = Math.max(versionsMax, kv.stats().versionCount);
    }
    expect(kv.stats().revision).toBe(200_001);
    expect(versionsMax).toBeLessThan(10_000 + 4000);
    expect(kv.stats().byteCount).toBeLessThan(14_000 * 120);
  }, 30_000);
});

describe("for people", () => {
  const describe_ = (command: Operation | Command): string =>
    createKv().describe(encodeCommand(command as Command));

  test("commands in a few words", () => {
    expect(describe_(put("fruit", "pear"))).toBe("fruit=pear");
    expect(describe_(put("fruit", "", { ignoreValue: true }))).toBe("fruit=(same)");
    expect(describe_(del("fruit"))).toBe("del fruit");
    expect(describe_(del("a/", "a0"))).toBe("del a/*");
    expect(describe_(del("a", "c"))).toBe("del a to c");
    expect(describe_({ kind: "delete-range", ...ALL })).toBe("del all keys");
    expect(describe_({ kind: "delete-range", key: bytesOf("m"), rangeEnd: NO_END })).toBe(
      "del m and after",
    );
    expect(describe_({ kind: "compact", revision: 7 })).toBe("compact 7");
    const compare: Compare[] = [
      { key: bytesOf("fruit"), target: "value", result: "equal", operand: bytesOf("pear") },
      { key: bytesOf("n"), target: "version", result: "greater", operand: 3 },
    ];
    const success = [put("fruit", "apple"), del("x")];
    expect(describe_(txn({ compare, success, failure: [range("fruit")] }))).toBe(
      "txn if fruit=pear & version(n)>3: fruit=apple, del x; else get fruit",
    );
    expect(describe_(txn({ success }))).toBe("txn fruit=apple, del x");
    expect(createKv().describe(Uint8Array.of(99))).toBe("unreadable command, 1 bytes");
  });

  test("descriptions stay short", () => {
    const long = describe_(put("k".repeat(500), "v".repeat(500)));
    expect(long.length).toBeLessThan(140);
    expect(long.startsWith("kkk")).toBe(true);
  });

  test("text is text, everything else hexadecimal", () => {
    expect(textOf(bytesOf("früchte 🍐"))).toBe("früchte 🍐");
    expect(textOf(bytesOf("a\u001B[31m"))).toBe("0x611b5b33316d");
    expect(textOf(bytesOf("a\u0085"))).toMatch(/^0x/);
    expect(textOf(Uint8Array.of(0xc3))).toBe("0xc3");
    // An overlong zero, a surrogate, beyond the last code point.
    expect(textOf(Uint8Array.of(0xc0, 0x80))).toBe("0xc080");
    expect(textOf(Uint8Array.of(0xed, 0xa0, 0x80))).toBe("0xeda080");
    expect(textOf(Uint8Array.of(0xf4, 0x90, 0x80, 0x80))).toBe("0xf4908080");
    expect(textOf(bytesOf("x".repeat(65)))).toBe(`${"x".repeat(64)}…`);
    expect(textOf(new Uint8Array(33))).toBe(`0x${"00".repeat(32)}…`);
  });

  test("text from code points and back", () => {
    for (const text of ["", "pear", "ä€🍐", "\u{10FFFF}"]) {
      expect(bytesOf(text)).toEqual(new Uint8Array(new TextEncoder().encode(text)));
    }
    expect(bytesOf("\uD800")).toEqual(bytesOf("\uFFFD"));
  });

  test("the first rows of the state", () => {
    const kv = createKv();
    for (const key of ["c", "a", "b"]) apply(kv, put(key, key.toUpperCase()));
    apply(kv, del("b"));
    expect(kv.rows(5)).toEqual([
      { key: "a", value: "A" },
      { key: "c", value: "C" },
    ]);
    expect(kv.rows(1)).toEqual([{ key: "a", value: "A" }]);
    expect(kv.rows(0)).toEqual([]);
  });

  test("changes name what a command did, in order", () => {
    const kv = createKv();
    apply(kv, put("a", "1"));
    const both = txn({ success: [del("a"), put("b", "2")] });
    const { changes } = kv.apply(encodeCommand(both), 1);
    expect(changes.map(({ key, value }) => [nameOf(key), value && nameOf(value)])).toEqual([
      ["a", null],
      ["b", "2"],
    ]);
    expect(kv.apply(encodeCommand(txn({})), 1).changes).toEqual([]);
  });
});
