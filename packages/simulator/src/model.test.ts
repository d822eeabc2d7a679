import { createKv } from "@raftarium/kv";
import type { Action } from "@raftarium/checker";
import { expect, test } from "vitest";
import { createChance } from "./chance.ts";
import { answerOf, commandOf } from "./commands.ts";
import { createModel } from "./model.ts";
import { drawAction } from "./workload.ts";

test("the model and the real machine give the same answers to the same commands", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const chance = createChance(seed);
    const kv = createKv();
    const model = createModel();
    const lastSeen = new Map<string, string | null>();
    for (let index = 1; index <= 200; index += 1) {
      const action: Action = drawAction(chance, { keyCount: 3, valueBytesMax: 8 }, index, lastSeen);
      const command = commandOf(action, index, index % 3 === 0);
      model.apply(command === null ? null : action);
      if (command === null) continue;
      const { result } = kv.apply(command, index);
      expect(answerOf(result)).toEqual(model.answerAt(index));
      for (const key of ["k1", "k2", "k3"]) lastSeen.set(key, model.valueAt(key, index));
    }
  }
});

test("the past can be asked", () => {
  const model = createModel();
  model.apply({ kind: "put", key: "a", value: "1" });
  model.apply(null);
  model.apply({ kind: "delete", key: "a" });
  model.apply({ kind: "cas", key: "a", expected: null, value: "2", swapped: null });
  expect([0, 1, 2, 3, 4].map((index) => model.valueAt("a", index))).toEqual([
    null,
    "1",
    "1",
    null,
    "2",
  ]);
  expect([0, 1, 2, 3, 4].map((index) => model.revisionAt(index))).toEqual([1, 2, 2, 3, 4]);
});
