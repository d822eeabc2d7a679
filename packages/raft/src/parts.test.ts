/** The parts that have no Raft in them: arithmetic of majorities, the log, bytes, options. */
import { describe, expect, test } from "vitest";
import { command, logOf, nothingRecovered, optionsFor, recovered, voters } from "../test/driver.ts";
import { Log } from "./log.ts";
import { Progress } from "./progress.ts";
import { validateOptions } from "./options.ts";
import { membersOf, quorumValue, tally, votersOf } from "./quorum.ts";
import { createRaft, decodeConfiguration, encodeConfiguration } from "./index.ts";
import type { Configuration, RaftOptions } from "./index.ts";

describe("quorum", () => {
  const cases: [values: number[], expected: number][] = [
    [[], 0],
    [[7], 7],
    [[7, 3], 3],
    [[1, 9, 5], 5],
    [[9, 5, 1], 5],
    [[4, 1, 3, 2], 2],
    [[5, 5, 0, 0, 0], 0],
    [[5, 4, 3, 2, 1], 3],
  ];
  for (const [values, expected] of cases) {
    test(`a majority of ${values.join() || "nobody"} has reached ${expected}`, () => {
      const configuration = voters(...values.map((_, i) => i));
      expect(quorumValue(configuration, (id) => values[id]!)).toBe(expected);
    });
  }

  test("joint: the lesser of both halves", () => {
    const joint = { ...voters(1, 2, 3), votersOutgoing: [3, 4, 5] };
    const values = [0, 9, 9, 1, 6, 2];
    expect(quorumValue(joint, (id) => values[id]!)).toBe(2);
  });

  test("an election is lost as soon as it cannot be won any more, in either half", () => {
    const joint = { ...voters(1, 2, 3), votersOutgoing: [4, 5, 6] };
    const votes = (...pairs: [number, boolean][]) => tally(joint, new Map(pairs));
    expect(votes([1, true], [2, true])).toBe("pending");
    expect(votes([1, true], [2, true], [4, true], [6, true])).toBe("won");
    expect(votes([1, true], [2, true], [4, false], [6, false])).toBe("lost");
    expect(
      tally(
        voters(1, 2, 3, 4),
        new Map([
          [1, false],
          [2, false],
        ]),
      ),
    ).toBe("lost");
    expect(tally(voters(), new Map())).toBe("lost");
  });

  test("members are listed once, in order", () => {
    const joint = { ...voters(3, 1), votersOutgoing: [1, 20], learners: [20, 4] };
    expect(votersOf(joint)).toEqual([1, 3, 20]);
    expect(membersOf(joint)).toEqual([1, 3, 4, 20]);
  });
});

describe("log", () => {
  test("what is compacted is gone; the rest keeps its index", () => {
    const log = new Log(0, 0, logOf(1, 1, 2, 2, 3));
    log.compactThrough(3);
    expect([log.baseIndex, log.baseTerm, log.lastIndex, log.lastTerm]).toEqual([3, 2, 5, 3]);
    expect([2, 3, 4, 5, 6].map((index) => log.term(index))).toEqual([null, 2, 2, 3, null]);
    expect(log.slice(4, 5).map(({ index }) => index)).toEqual([4, 5]);
    expect(() => log.slice(3, 5)).toThrow(/expected within 4 to 5, got 3 to 5/);
    expect(() => log.slice(4, 6)).toThrow(/expected within 4 to 5, got 4 to 6/);
  });

  test("append keeps indexes without gaps, and terms that never fall", () => {
    const log = new Log(0, 0, logOf(1, 3));
    expect(() => log.append(command(4, 3))).toThrow(/expected index 3, got 4/);
    expect(() => log.append(command(3, 2))).toThrow(/expected at least 3, got 2/);
  });

  test("the place where logs may meet, by term", () => {
    const log = new Log(0, 0, logOf(1, 1, 4, 4, 5, 5, 6));
    const found = (index: number, term: number) => log.lastIndexWithTermAtMost(index, term);
    expect([found(7, 6), found(7, 5), found(7, 3), found(5, 6), found(99, 9)]).toEqual([
      7, 6, 2, 5, 7,
    ]);
    expect(found(7, 0)).toBe(0);
    log.compactThrough(4);
    expect([found(7, 3), found(7, 4), found(2, 9)]).toEqual([3, 4, 2]);
  });

  test("a slice stays what it was when the log goes on", () => {
    const log = new Log(0, 0, logOf(1, 1, 1));
    const slice = log.slice(2, 3);
    log.truncateFrom(3);
    log.append(command(3, 2));
    expect(log.slice(2, 3).map(({ term }) => term)).toEqual([1, 2]);
    expect(slice.map(({ term }) => term)).toEqual([1, 1]);
  });

  test("a leader's snapshot on its way leaves nothing durable until it is there", () => {
    const log = new Log(0, 0, []);
    log.append(command(1, 1));
    log.takeUnstable(1);
    log.resetTo(9, 3, 2);
    expect(log.persisted(1)).toBe(false);
    expect(log.durableIndex).toBe(0);
    expect(log.persisted(2)).toBe(true);
    expect(log.durableIndex).toBe(9);
  });
});

describe("progress", () => {
  test("the window is a ring that forgets what is acknowledged", () => {
    const progress = new Progress(
      1,
      0,
      optionsFor(1, { inflightAppendsMax: 3, inflightBytesMax: 1_000 }),
    );
    progress.becomeReplicate();
    for (let round = 0; round < 10; round++) {
      const index = round * 2;
      progress.sent(index + 1, 10);
      progress.sent(index + 2, 10);
      expect(progress.inflightCount).toBe(2);
      progress.acknowledged(index + 2);
      expect([progress.inflightCount, progress.inflightBytesTotal]).toEqual([0, 0]);
    }
    for (const index of [21, 22, 23]) progress.sent(index, 1);
    expect(progress.ready).toBe(false);
    progress.acknowledged(22);
    expect([progress.inflightCount, progress.ready]).toEqual([1, true]);
  });
});

describe("configuration bytes", () => {
  const configurations: Configuration[] = [
    voters(),
    voters(1),
    {
      voters: [1, 300, Number.MAX_SAFE_INTEGER],
      votersOutgoing: [2],
      learners: [7, 8],
      addresses: {},
    },
    {
      ...voters(1, 2, 3),
      addresses: { 1: "127.0.0.1:7101", 2: "grüße.example:1", 3: "節點:7🦊" },
    },
  ];
  for (const configuration of configurations) {
    test(`there and back: ${JSON.stringify(configuration)}`, () => {
      expect(decodeConfiguration(encodeConfiguration(configuration))).toEqual(configuration);
    });
  }

  test("an ASCII address takes one byte a character; any text comes back as it was", () => {
    const address = "127.0.0.1:7101";
    const encoded = encodeConfiguration({ ...voters(), addresses: { 1: address } });
    expect(encoded.slice(-address.length)).toEqual(new TextEncoder().encode(address));
    const odd = encodeConfiguration({ ...voters(), addresses: { 1: "\ud800é€🦊" } });
    expect(decodeConfiguration(odd)?.addresses[1]).toBe("\ud800é€🦊");
  });

  test("equal configurations have equal bytes, whatever the order", () => {
    const one = encodeConfiguration({ ...voters(3, 1, 2), addresses: { 2: "b", 1: "a" } });
    const other = encodeConfiguration({ ...voters(1, 2, 3), addresses: { 1: "a", 2: "b" } });
    expect(one).toEqual(other);
  });

  test("anything else is no configuration: cut short, too long, another format, twice a node", () => {
    const encoded = encodeConfiguration(configurations[3]!);
    for (let length = 0; length < encoded.length; length++) {
      expect(decodeConfiguration(encoded.slice(0, length))).toBeNull();
    }
    expect(decodeConfiguration(Uint8Array.from([...encoded, 0]))).toBeNull();
    expect(decodeConfiguration(Uint8Array.from([9, ...encoded.slice(1)]))).toBeNull();
    expect(decodeConfiguration(Uint8Array.of(1, 2, 5, 5, 0, 0, 0))).toBeNull();
    expect(decodeConfiguration(Uint8Array.of(1, 1, 0, 0, 0, 0))).toBeNull();
    const huge = [1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    expect(decodeConfiguration(Uint8Array.from(huge))).toBeNull();
    const endless = [1, 0, 0, 0, 1, ...Array.from({ length: 200 }, () => 0xff), 1, 0];
    expect(decodeConfiguration(Uint8Array.from(endless))).toBeNull();
  });

  test("a number that is no UTF-16 code unit is no address", () => {
    const unit = [0x80, 0x80, 0x04]; // 65536
    expect(decodeConfiguration(Uint8Array.of(1, 0, 0, 0, 1, 1, 1, ...unit))).toBeNull();
  });
});

describe("options", () => {
  const mistakes: [Partial<RaftOptions>, RegExp][] = [
    [{ id: 0 }, /id: expected a whole number from 1 up, got 0/],
    [{ heartbeatTicks: 1.5 }, /heartbeatTicks: expected a whole number from 1 up, got 1.5/],
    [{ electionTicksMin: 3 }, /electionTicksMin: expected a whole number from 4 up, got 3/],
    [{ electionTicksMax: 9 }, /electionTicksMax: expected a whole number from 10 up, got 9/],
    [{ inflightAppendsMax: 0 }, /inflightAppendsMax: expected a whole number from 1 up, got 0/],
    [{ leaseReads: true }, /leaseReads: expected off while checkQuorum is off/],
    [
      { initialConfiguration: voters(1, 1) },
      /initialConfiguration: .* each node once, .* got voters 1, 1/,
    ],
    [{ initialConfiguration: { ...voters(1), learners: [1] } }, /got voters 1; learners 1/],
    [{ initialConfiguration: { ...voters(), learners: [1] } }, /got voters ; learners 1/],
    [{ recovered: recovered(1, [command(2, 1)]) }, /append out of order: expected index 1, got 2/],
    [
      { recovered: recovered(3, logOf(3, 2)) },
      /append of an older term: expected at least 3, got 2/,
    ],
    [
      { recovered: recovered(2, logOf(3)) },
      /hardState.term: expected a whole number from 3 up, got 2/,
    ],
    [
      {
        recovered: {
          ...nothingRecovered,
          hardState: { term: NaN, votedFor: null, commitIndex: 0 },
        },
      },
      /term: expected a whole number from 0 up, got NaN/,
    ],
  ];
  for (const [mistake, text] of mistakes) {
    test(String(text), () => {
      expect(() => createRaft(optionsFor(1, mistake))).toThrow(text);
    });
  }

  test("sound options pass", () => {
    expect(() => validateOptions(optionsFor(1))).not.toThrow();
  });
});
