/** The page joins what a node tells of changes with what the machine tells of its rows, by text. */
import * as fc from "fast-check";
import { textOf as textInKv } from "@raftarium/kv";
import { textOf as textInNode } from "@raftarium/node";
import { expect, test } from "vitest";

const utf8 = fc
  .string({ unit: "binary", maxLength: 80 })
  .map((text) => new Uint8Array(new TextEncoder().encode(text)));

test("a key reads the same wherever it is told of", () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80, size: "max" }), utf8), (bytes) => {
      expect(textInKv(bytes)).toBe(textInNode(bytes));
    }),
    { numRuns: 5000 },
  );
});
