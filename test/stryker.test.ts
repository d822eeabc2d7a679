import { expect, test } from "vitest";
import { summarize } from "./stryker/summary.ts";

const place = (line: number, from: number, to: number) => ({
  start: { line, column: from },
  end: { line, column: to },
});

/** Four changes of `a < b`: one was noticed, one not, one was never reached, one left alone. */
const report = JSON.stringify({
  files: {
    "src/log.ts": {
      source: 'if (a < b) fail("no");',
      mutants: [
        { status: "Killed", replacement: "true", location: place(1, 5, 10) },
        { status: "Survived", replacement: "a <= b", location: place(1, 5, 10) },
        { status: "NoCoverage", replacement: ";", location: place(1, 12, 22) },
        { status: "Ignored", replacement: '""', location: place(1, 17, 21) },
      ],
    },
  },
});
const first = "log.ts:1:5 `a < b` → `a <= b`";
const second = 'log.ts:1:12 (NoCoverage) `fail("no")` → `;`';

test("what is noticed counts, of all that was not left alone", () => {
  const { table, survivors, score } = summarize(report, "");
  expect(score).toBeCloseTo(100 / 3);
  expect(table.split("\n").at(-1)).toBe("| all | 1 | 0 | 2 | 1 | 33.3 % |");
  expect(survivors).toEqual([first, second]);
});

test("a survivor without a line in the document is told, and a line without a survivor", () => {
  expect(summarize(report, "").unexplained).toEqual([first, second]);
  const document = `Because:\n\n- ${first}\n- log.ts:9:1 \`x\` → \`y\`\n- just a word\n`;
  const { unexplained, outdated } = summarize(report, document);
  expect(unexplained).toEqual([second]);
  expect(outdated).toEqual(["log.ts:9:1 `x` → `y`"]);
});
