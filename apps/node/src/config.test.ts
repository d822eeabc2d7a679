import { describe, expect, test } from "vitest";
import { ConfigError, loadConfig, parseConfig } from "./config.ts";

const good = `
cluster: demo
id: 1
listen: 127.0.0.1:7101
dataDir: .raftarium/node-1
peers: [{ id: 1, address: 127.0.0.1:7101 }, { id: 2, address: 127.0.0.1:7102 }]
`;

function mistakesIn(source: string): string {
  try {
    parseConfig(source, "node.yaml");
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "none";
}

describe("a node's configuration", () => {
  test("what it does not say has a default", () => {
    const config = parseConfig(good, "node.yaml");
    expect(config.timing.heartbeatMs).toBe(50);
    expect(config.features).toEqual({
      preVote: true,
      checkQuorum: true,
      leaseReads: false,
      priority: 0,
    });
    expect(config.stateMachine).toBe("kv");
  });

  test("an unknown key is named, with those that there are", () => {
    expect(mistakesIn(`${good}tming: {}\n`)).toContain(
      "tming: unknown key; expected one of cluster,",
    );
    expect(mistakesIn(`${good}timing: { heartbeat: 5 }\n`)).toContain(
      "timing.heartbeat: unknown key; expected one of tickMs, heartbeatMs,",
    );
    expect(mistakesIn(good.replace("{ id: 2,", "{ id: 2, zone: a,"))).toContain(
      "peers[1].zone: unknown key; expected one of id, address",
    );
  });

  test("a value of the wrong kind is named with its path, what was expected and what was found", () => {
    expect(mistakesIn(good.replace("id: 1\n", "id: one\n"))).toContain(
      'id: expected a whole number from 1 to 2^53 - 1, got "one"',
    );
    expect(mistakesIn(good.replace("id: 1\n", "id: 0\n"))).toContain(
      "id: expected a whole number from 1 to 2^53 - 1, got 0",
    );
    expect(mistakesIn(good.replace("listen: 127.0.0.1:7101", "listen: here"))).toContain(
      'listen: expected an address such as 127.0.0.1:7101, got "here"',
    );
    expect(mistakesIn(good.replace("cluster: demo\n", ""))).toContain(
      "cluster: expected the cluster's name, got nothing",
    );
    expect(mistakesIn(`${good}timing: 5\n`)).toContain("timing: expected a mapping, got 5");
    expect(mistakesIn(`${good}features: { preVote: maybe }\n`)).toContain(
      'features.preVote: expected true or false, got "maybe"',
    );
  });

  test.each([
    ["127.0.0.1:99999", "an address with a port from 0 to 65535"],
    ["here", "an address such as 127.0.0.1:7101"],
    ["%zz:7102", "an address such as 127.0.0.1:7101"],
    ["300.1.1.1:7102", "an address such as 127.0.0.1:7101"],
    ["[1::2::3]:7102", "an address such as 127.0.0.1:7101"],
  ])("%s is no address, and it is said once", (found, expected) => {
    const message = mistakesIn(good.replace("127.0.0.1:7102", `"${found}"`));
    expect(message).toBe(
      `cannot use node.yaml:\n  peers[1].address: expected ${expected}, got "${found}"`,
    );
  });

  test.each(["[::1]:7102", "node-2.example:7102", "localhost:0", "my_node:7102"])(
    "%s is an address",
    (address) => {
      expect(mistakesIn(good.replace("127.0.0.1:7102", `"${address}"`))).toBe("none");
    },
  );

  test("no request and no append may be larger than what fits a message between nodes", () => {
    const limits = "limits: { requestBytesMax: 4194305, bytesPerAppendMax: 4194305 }\n";
    const expected = "expected a whole number from 1 to 4194304, got 4194305";
    expect(mistakesIn(good + limits)).toContain(`limits.requestBytesMax: ${expected}`);
    expect(mistakesIn(good + limits)).toContain(`limits.bytesPerAppendMax: ${expected}`);
  });

  test("every mistake is told, not only the first", () => {
    const message = mistakesIn(
      good.replace("id: 1\n", "id: x\n").replace("cluster: demo", "cluster: 7"),
    );
    expect(message).toContain('id: expected a whole number from 1 to 2^53 - 1, got "x"');
    expect(message).toContain("cluster: expected the cluster's name, got 7");
  });

  test("contradictions are mistakes", () => {
    expect(mistakesIn(`${good}timing: { heartbeatMs: 200 }\n`)).toContain(
      "timing.electionTimeoutMinMs: expected at least twice timing.heartbeatMs (400), got 300",
    );
    // In ticks of 10 ms these are 2 and 3, and 30 and 30.
    expect(mistakesIn(`${good}timing: { heartbeatMs: 15, electionTimeoutMinMs: 30 }\n`)).toContain(
      "timing.electionTimeoutMinMs: expected at least twice timing.heartbeatMs (40), got 30",
    );
    expect(mistakesIn(`${good}timing: { electionTimeoutMaxMs: 301 }\n`)).toContain(
      "timing.electionTimeoutMaxMs: expected at least one timing.tickMs (10) more than " +
        "timing.electionTimeoutMinMs (300), got 301",
    );
    expect(mistakesIn(good.replace("{ id: 2,", "{ id: 1,"))).toContain(
      "peers[1].id: expected one that no other peer has, got 1, which is peers[0]'s",
    );
    expect(mistakesIn(good.replace("id: 1\n", "id: 9\n"))).toContain(
      "peers: expected node 9 itself among them (or join: true), got 1, 2",
    );
  });

  test("what is not YAML, not a mapping or not there is refused", () => {
    expect(mistakesIn("a: [1")).toContain("cannot use node.yaml:\n  not YAML:");
    expect(mistakesIn("[]")).toContain("the file: expected a mapping, got []");
    expect(mistakesIn("")).toContain("the file: expected a mapping, got null");
    expect(() => loadConfig("no-such-file.yaml")).toThrow(
      "cannot use no-such-file.yaml:\n  expected a readable file",
    );
  });
});
