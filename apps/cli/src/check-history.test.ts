import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "./program.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "raftarium-history-"));
});
afterAll(() => rm(directory, { recursive: true }));

interface Checked {
  readonly exitCode: number;
  readonly output: string;
  readonly complaints: string;
}

/** Runs the command on standard input; `options` come after the file. */
async function check(input: string | Uint8Array, ...options: string[]): Promise<Checked> {
  return run(["check-history", "-", ...options], input);
}

async function run(argv: readonly string[], input: string | Uint8Array = ""): Promise<Checked> {
  let [output, complaints] = ["", ""];
  const exitCode = await main(argv, {
    terminal: false,
    write: (chunk) => {
      output += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    },
    complain: (text) => {
      complaints += `${text}\n`;
    },
    readInput: () => Promise.resolve(typeof input === "string" ? Buffer.from(input) : input),
    signal: new AbortController().signal,
  });
  return { exitCode, output, complaints };
}

const lines = (...operations: readonly object[]): string =>
  operations.map((operation) => `${JSON.stringify(operation)}\n`).join("");
const put = (client: number, value: string, call: number, end: number): object => ({
  client,
  op: "put",
  key: "x",
  value,
  call,
  return: end,
  outcome: "ok",
});
const get = (client: number, value: string | null, call: number, end: number): object => ({
  ...put(client, "", call, end),
  op: "get",
  value,
});

const good = lines(put(1, "1", 10, 20), get(2, "1", 21, 30));
const stale = lines(
  put(1, "1", 10, 20),
  get(4, "1", 21, 22),
  put(2, "2", 30, 40),
  get(3, "1", 50, 60),
);

describe("verdicts", () => {
  test("0: Ok", async () => {
    const { exitCode, output, complaints } = await check(good);
    expect({ exitCode, complaints }).toEqual({ exitCode: 0, complaints: "" });
    expect(output).toMatch(/^Ok: some order explains all 2 operations\.\n2 operations /);
  });

  test("0: nothing happened", async () => {
    expect((await check("")).exitCode).toBe(0);
  });

  test("1: Illegal, with the smallest window and why", async () => {
    const { exitCode, output } = await check(stale);
    expect(exitCode).toBe(1);
    const [first = "", , , ...window] = output.split("\n");
    expect(first).toBe('Illegal: x = "1" was seen although it had been overwritten before.');
    expect(window).toEqual([
      "No order explains these 3 operations, and none of them can be left out:",
      "line  client  call  return  operation",
      '1     1       10    20      put x = "1"',
      '3     2       30    40      put x = "2"',
      '4     3       50    60      read x = "1"  <- impossible',
      "",
    ]);
  });

  test("1: in JSON", async () => {
    const { exitCode, output } = await check(stale, "--output", "json");
    expect(exitCode).toBe(1);
    expect(JSON.parse(output)).toMatchObject({
      verdict: "illegal",
      operations: 4,
      clients: 4,
      keys: 1,
      partitions: 1,
      reason: 'x = "1" was seen although it had been overwritten before',
      impossibleLine: 4,
      smallest: true,
      window: [
        { line: 1, client: 1, op: "put", key: "x", value: "1", call: 10, return: 20 },
        { line: 3 },
        { line: 4, op: "get", outcome: "ok" },
      ],
    });
  });

  test("2: Unknown, never a pass, when time runs out", async () => {
    const many = Array.from({ length: 2000 }, (_, at) => put(1, `${at}`, at * 2, at * 2 + 1));
    const { exitCode, output } = await check(lines(...many), "--timeout", "1ms");
    expect(exitCode).toBe(2);
    expect(output).toMatch(/^Unknown: no order was found for 2000 operations on x/);
    // A bare number is seconds.
    expect((await check(lines(...many), "--timeout", "60")).exitCode).toBe(0);
  });

  test("from a file; times that no double holds are shown from the first", async () => {
    const file = join(directory, "history.ndjson");
    await writeFile(file, stale.replaceAll(/"(call|return)":/g, '"$1":179544960000000000'));
    const { exitCode, output } = await run(["check-history", file]);
    expect(exitCode).toBe(1);
    expect(output).toContain('4     3       40    50      read x = "1"  <- impossible');
    expect(output).toContain("(times are counted from the first, 17954496000000000010)");
  });

  test("what could steer the terminal is shown as an escape", async () => {
    const { output } = await check(stale.replaceAll('"x"', '"\\u001b[2J\\u202e"'));
    expect(output).toContain("\\u{1b}[2J\\u{202e}");
    expect(output).not.toContain("\u001B");
    expect(output).not.toContain("\u202E");
  });
});

describe("what is said of the history besides", () => {
  const doubt = { doubt: "two writes may be missing" };

  test("2: with a doubt, what has no explanation is Unknown, whatever the time", async () => {
    const { exitCode, output } = await check(stale + lines(doubt));
    expect(exitCode).toBe(2);
    const [first] = output.split("\n");
    expect(first).toBe("Unknown: no order explains all of it, but two writes may be missing.");
  });

  test("0: what has an explanation is Ok all the same", async () => {
    expect((await check(good + lines(doubt))).exitCode).toBe(0);
  });

  test("notes are told, and change no verdict", async () => {
    const noted = stale + lines({ note: "keys left out: y" });
    const { exitCode, output } = await check(noted);
    expect(exitCode).toBe(1);
    expect(output).toContain("(keys left out: y)\n");
    const inJson = await check(noted, "--output", "json");
    expect(JSON.parse(inJson.output)).toMatchObject({ notes: ["keys left out: y"] });
  });
});

describe("--html", () => {
  test("draws it, with the same exit code", async () => {
    const picture = join(directory, "history.html");
    const { exitCode, output } = await check(stale, "--html", picture);
    expect(exitCode).toBe(1);
    expect(output).toMatch(/^Illegal: /);
    expect(await readFile(picture, "utf8")).toMatch(/^<!doctype html>[^]*Not linearizable/);
  });

  test("faults are bands, and change no verdict", async () => {
    const picture = join(directory, "faults.html");
    const fault = { fault: "cut off", nodes: [1, 2], from: 15, until: 25 };
    expect((await check(good + lines(fault), "--html", picture)).exitCode).toBe(0);
    const band = '"faults":[{"label":"cut off (nodes 1, 2)","from":15,"to":25}]';
    expect(await readFile(picture, "utf8")).toContain(band);
  });

  test("64: where nothing can be written", async () => {
    const { exitCode, complaints } = await check(good, "--html", join(directory, "no", "such"));
    expect(exitCode).toBe(64);
    expect(complaints).toMatch(/^error: cannot write .*such: ENOENT/);
  });
});

describe("64: input that makes no sense", () => {
  test("names line and reason", async () => {
    expect(await check(`${good}{"client":1}\n`)).toEqual({
      exitCode: 64,
      output: "",
      complaints: 'error: line 3: expected a field "call", got none\n',
    });
  });

  test("of a fault, too", async () => {
    const { exitCode, complaints } = await check(`${good}{"fault":"cut","from":2,"until":1}\n`);
    expect(exitCode).toBe(64);
    expect(complaints).toBe('error: line 3: expected "until" at or after "from", got 1 before 2\n');
  });

  test("in JSON, too", async () => {
    const { exitCode, output } = await check(`${good}nonsense\n`, "--output", "json");
    expect(exitCode).toBe(64);
    expect(JSON.parse(output)).toEqual({
      error: 'expected one JSON object, got "nonsense"',
      line: 3,
    });
  });

  test("bytes that are no text", async () => {
    const bytes = Buffer.concat([Buffer.from(good), Buffer.from([0xff, 0x0a])]);
    const { exitCode, complaints } = await check(bytes);
    expect(exitCode).toBe(64);
    expect(complaints).toBe("error: line 3: expected UTF-8, got other bytes\n");
  });

  test("a file that is not there, and no file at all", async () => {
    const { exitCode, complaints } = await run(["check-history", join(directory, "none")]);
    expect(exitCode).toBe(64);
    expect(complaints).toMatch(/^error: cannot read .*none: ENOENT/);
    expect((await run(["check-history"])).exitCode).toBe(64);
  });
});
