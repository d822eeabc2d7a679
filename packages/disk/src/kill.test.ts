import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { openStorage } from "@raftarium/storage";
import type { OpenedStorage } from "@raftarium/storage";
import { afterEach, beforeEach, expect, test } from "vitest";

import { NodeDisk } from "./index.ts";

const ROUNDS = 4;
let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "raftarium-kill-"));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the process, kills it after `lineCount` lines, and returns the last index it told. */
async function appendAndKill(lineCount: number): Promise<number> {
  const program = fileURLToPath(new URL("fixtures/append-entries.ts", import.meta.url));
  const child = spawn(process.execPath, [program, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  let lines = 0;
  let last = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    lines += 1;
    if (lines === lineCount) child.kill("SIGKILL");
  }
  const [, signal] = await ended;
  expect(signal, "it was killed, it did not end by itself").toBe("SIGKILL");
  return last;
}

function open(): Promise<OpenedStorage> {
  return new Promise((resolve, reject) => {
    const onFatal = (error: { message: string }): void => reject(new Error(error.message));
    const options = { disk: new NodeDisk(directory), cluster: "demo", nodeId: 1, onFatal };
    openStorage(options, (error, storage) => {
      if (storage === null) reject(new Error(error?.message));
      else resolve(storage);
    });
  });
}

test("kill -9 in the middle of writes loses no entry that was answered", async () => {
  for (let round = 1; round <= ROUNDS; round += 1) {
    const told = await appendAndKill(20 * round);
    const storage = await open();
    const { entries, hardState } = storage.recovered;
    expect(entries.length).toBeGreaterThanOrEqual(told);
    expect(hardState).toEqual({ term: round, votedFor: 1, commitIndex: 0 });
    for (const [at, entry] of entries.entries()) {
      const data = new Uint8Array((at + 1) % 500).fill(at + 1);
      if (entry.index !== at + 1 || Buffer.compare(entry.data, data) !== 0) {
        throw new Error(`entry ${at + 1} came back as ${entry.index} with other bytes`);
      }
    }
    await new Promise<void>((resolve) => storage.close(resolve));
  }
}, 120_000);
