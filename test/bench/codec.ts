/**
 * How long an append takes to be written to bytes and read back: `node test/bench/codec.ts`.
 * Prints, for each size of batch, microseconds for the whole frame and for each entry.
 */
import { decodeFrame, encodeFrame } from "@raftarium/protocol";
import type { Frame } from "@raftarium/protocol";

const ENTRY_BYTES = 256;
const MEASURE_MS = 400;

function append(entryCount: number): Frame {
  const entries = Array.from({ length: entryCount }, (_, offset) => ({
    index: 1_000_001 + offset,
    term: 7,
    kind: "command" as const,
    data: new Uint8Array(ENTRY_BYTES).fill(offset),
  }));
  return {
    kind: "envelope",
    envelope: {
      source: 1,
      target: 2,
      incarnation: 3,
      sequence: 4_000_000,
      sentAtUs: 123_456_789_012,
      message: {
        type: "append-entries",
        term: 7,
        prevLogIndex: 1_000_000,
        prevLogTerm: 7,
        entries,
        leaderCommit: 999_990,
        readRound: 12_345,
      },
    },
  };
}

/** Microseconds a call, after warming up for as long as it then measures. */
function measureUs(call: () => unknown): number {
  let us = 0;
  for (const _round of ["warm up", "measure"]) {
    const start = performance.now();
    let count = 0;
    while (performance.now() - start < MEASURE_MS) {
      for (let i = 0; i < 100; i += 1) call();
      count += 100;
    }
    us = ((performance.now() - start) * 1000) / count;
  }
  return us;
}

for (const entryCount of [0, 1, 8, 64, 256]) {
  const frame = append(entryCount);
  const bytes = encodeFrame(frame);
  const columns = [
    `${String(entryCount).padStart(4)} entries`,
    `${String(bytes.length).padStart(6)} bytes`,
  ];
  for (const [name, call] of [
    ["write", () => encodeFrame(frame)],
    ["read", () => decodeFrame(bytes)],
  ] as const) {
    const us = measureUs(call);
    const each = (us / Math.max(entryCount, 1)).toFixed(2);
    columns.push(`${name} ${us.toFixed(1).padStart(6)} us (${each} each)`);
  }
  process.stdout.write(`${columns.join("  ")}\n`);
}
