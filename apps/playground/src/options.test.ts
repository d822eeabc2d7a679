import { CommanderError } from "commander";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parseOptions } from "./options.ts";

let said = "";

beforeEach(() => {
  said = "";
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((text) => {
      said += String(text);
      return true;
    });
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

test("without flags: five nodes, port 7100, a twentieth of real time, a fresh place", () => {
  expect(parseOptions([])).toEqual({
    nodeCount: 5,
    port: 7100,
    dataDir: null,
    speed: 0.05,
    leaseReads: false,
    preferred: null,
    dev: false,
  });
});

test("all flags", () => {
  const args = "--nodes 3 --port 0 --data-dir there --speed 1 --lease-reads --prefer 2 --dev".split(
    " ",
  );
  expect(parseOptions(args)).toEqual({
    nodeCount: 3,
    port: 0,
    dataDir: "there",
    speed: 1,
    leaseReads: true,
    preferred: 2,
    dev: true,
  });
});

test.each([
  ["--nodes 0", "Expected a whole number from 1 to 9, got '0'."],
  ["--nodes 10", "Expected a whole number from 1 to 9, got '10'."],
  ["--nodes 2.5", "Expected a whole number from 1 to 9, got '2.5'."],
  ["--port 70000", "Expected a whole number from 0 to 65535, got '70000'."],
  ["--port 65533", "leaves no room for 5 nodes"],
  ["--speed 0", "Expected a number from 0.001 to 1, got '0'."],
  ["--speed fast", "Expected a number from 0.001 to 1, got 'fast'."],
  ["--prefer 0", "Expected a whole number from 1 to"],
  ["--node 3", "unknown option '--node'"],
  ["now", "too many arguments"],
])("%s: %s", (line, sentence) => {
  expect(() => parseOptions(line.split(" "))).toThrow(CommanderError);
  expect(said).toContain(sentence);
});

test("help names every flag, and is no mistake", () => {
  expect(() => parseOptions(["--help"])).toThrow(expect.objectContaining({ exitCode: 0 }));
  for (const flag of [
    "--nodes",
    "--port",
    "--data-dir",
    "--speed",
    "--lease-reads",
    "--prefer",
    "--dev",
  ]) {
    expect(said).toContain(flag);
  }
});
