/** Requests at random, over few enough keys that they meet. */
import * as fc from "fast-check";
import type { Command, Compare, Operation, RangeRequest, TxnRequest } from "../types.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

export const keyArbitrary = fc.constantFrom(
  bytes(0),
  bytes(97),
  bytes(97, 0),
  bytes(97, 97),
  bytes(98),
  bytes(98, 255),
  bytes(255),
  bytes(255, 255),
);

const rangeEndArbitrary = fc.oneof(
  fc.constant(bytes()),
  fc.constant(bytes(0)),
  keyArbitrary,
  fc.constant(bytes(99)),
);

const valueArbitrary = fc.constantFrom(bytes(), bytes(1), bytes(2), bytes(1, 2), bytes(200));

const rangeOf = { key: keyArbitrary, rangeEnd: rangeEndArbitrary };
const smallArbitrary = fc.integer({ min: 0, max: 12 });

export const rangeArbitrary: fc.Arbitrary<RangeRequest> = fc.record({
  kind: fc.constant("range" as const),
  ...rangeOf,
  limit: fc.integer({ min: -1, max: 4 }),
  revision: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: -2, max: 20 })),
  sortOrder: fc.constantFrom("none" as const, "ascend" as const, "descend" as const),
  sortTarget: fc.constantFrom("key", "version", "create", "mod", "value") as fc.Arbitrary<
    NonNullable<RangeRequest["sortTarget"]>
  >,
  keysOnly: fc.boolean(),
  countOnly: fc.boolean(),
  minModRevision: fc.oneof(fc.constant(0), smallArbitrary),
  maxModRevision: fc.oneof(fc.constant(0), smallArbitrary),
  minCreateRevision: fc.oneof(fc.constant(0), smallArbitrary),
  maxCreateRevision: fc.oneof(fc.constant(0), smallArbitrary),
});

const putArbitrary: fc.Arbitrary<Operation> = fc
  .record({
    key: keyArbitrary,
    value: valueArbitrary,
    prevKv: fc.boolean(),
    ignore: fc.constantFrom("nothing", "nothing", "nothing", "value", "lease"),
  })
  .map(({ key, value, prevKv, ignore }) => ({
    kind: "put",
    key,
    value: ignore === "value" ? bytes() : value,
    prevKv,
    ignoreValue: ignore === "value",
    ignoreLease: ignore === "lease",
  }));

const deleteArbitrary: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constant("delete-range" as const),
  ...rangeOf,
  prevKv: fc.boolean(),
});

const compareArbitrary: fc.Arbitrary<Compare> = fc
  .record({
    ...rangeOf,
    result: fc.constantFrom(
      "equal" as const,
      "greater" as const,
      "less" as const,
      "not-equal" as const,
    ),
    target: fc.constantFrom(
      "version" as const,
      "create" as const,
      "mod" as const,
      "value" as const,
      "lease" as const,
    ),
    number: fc.integer({ min: 0, max: 6 }),
    value: valueArbitrary,
  })
  .map(({ key, rangeEnd, result, target, number, value }) =>
    target === "value"
      ? { key, rangeEnd, result, target, operand: value }
      : { key, rangeEnd, result, target, operand: number },
  );

export const txnArbitrary: fc.Arbitrary<TxnRequest> = fc.letrec<{
  operation: Operation;
  txn: TxnRequest;
}>((tie) => {
  const branch = fc.array(tie("operation"), { maxLength: 4, depthIdentifier: "txn" });
  return {
    operation: fc.oneof(
      { depthIdentifier: "txn", maxDepth: 3 },
      putArbitrary,
      deleteArbitrary,
      rangeArbitrary,
      tie("txn"),
    ),
    txn: fc.record({
      kind: fc.constant("txn" as const),
      compare: fc.array(compareArbitrary, { maxLength: 2 }),
      success: branch,
      failure: branch,
    }),
  };
}).txn;

export const commandArbitrary: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: putArbitrary as fc.Arbitrary<Command> },
  { weight: 2, arbitrary: deleteArbitrary as fc.Arbitrary<Command> },
  { weight: 4, arbitrary: txnArbitrary },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("compact" as const),
      revision: fc.integer({ min: -1, max: 25 }),
    }),
  },
);
