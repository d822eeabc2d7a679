import { nodeById, type Observation } from "@raftarium/observer";
import { describe, expect, test } from "vitest";
import { createClusterClock } from "./clock.ts";
import { createHistory } from "./history.ts";
import { createTimeline } from "./timeline.ts";

/** Node 1 commits `commitIndex` at this moment of the cluster's clock. */
function commit(commitIndex: number, timeMs: number): Observation {
  return {
    nodeId: 1,
    incarnation: 1,
    sequence: commitIndex,
    timeUs: timeMs * 1000,
    body: { kind: "commit-advanced", commitIndex },
  };
}

function shown(timeline: ReturnType<typeof createTimeline>, atMs: number): number {
  return nodeById(timeline.frame(atMs).view, 1)?.commitIndex ?? 0;
}

describe("the timeline", () => {
  test("what happens takes effect in its time, a little late", () => {
    const timeline = createTimeline();
    timeline.push([commit(1, 5000), commit(2, 5050)], 1000);
    expect(shown(timeline, 1000)).toBe(0);
    expect(shown(timeline, 1060)).toBe(1);
    expect(shown(timeline, 1100)).toBe(2);
  });

  test("nobody is told more than about ten times a second", () => {
    const timeline = createTimeline();
    let told = 0;
    timeline.subscribe(() => {
      told += 1;
    });
    for (let ms = 0; ms < 1000; ms += 5) {
      timeline.push([commit(ms / 5 + 1, 5000 + ms)], ms);
      timeline.frame(ms);
    }
    expect(told).toBeGreaterThan(5);
    expect(told).toBeLessThanOrEqual(11);
  });

  test("in a busy cluster the notice is spread over frames, and all hear of it", () => {
    const timeline = createTimeline();
    const told = [0, 0, 0, 0, 0, 0, 0, 0];
    told.forEach((_, at) => {
      timeline.subscribe(() => {
        told[at] = (told[at] ?? 0) + 1;
      });
    });
    const many = Array.from({ length: 500 }, (_, at) => commit(at + 1, 5000));
    timeline.push(many, 0);
    timeline.frame(1000);
    expect(told.filter((times) => times > 0)).toHaveLength(4);
    expect(timeline.frame(1016).quiet).toBe(false);
    expect(timeline.frame(1032).quiet).toBe(true);
    expect(told).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });

  test("the past can be shown, and stands still; the present goes on meanwhile", () => {
    const timeline = createTimeline();
    timeline.push([commit(1, 5000), commit(2, 6000)], 2000);
    timeline.frame(3000);
    timeline.seek(5_500_000);
    expect(shown(timeline, 3200)).toBe(1);
    expect(timeline.getState().live).toBe(false);
    timeline.push([commit(3, 7000)], 3000);
    expect(shown(timeline, 4000)).toBe(1);
    expect(timeline.history().view().version).toBe(3);
    timeline.goLive();
    expect(shown(timeline, 4200)).toBe(3);
  });

  test("a new stream takes the place of what was known", () => {
    const timeline = createTimeline();
    timeline.push([commit(7, 5000)], 1000);
    expect(shown(timeline, 2000)).toBe(7);
    timeline.begin([commit(1, 100)], 4000, null);
    expect(shown(timeline, 4200)).toBe(1);
    expect(timeline.since(0)).toBeNull();
  });

  test("the past is joined without a gap and without a double, and can be shown", () => {
    const timeline = createTimeline();
    // The present state, which the past leads to, and what came after it.
    timeline.begin([commit(3, 5000)], 1000, 1_000_000);
    timeline.push([commit(4, 5100), commit(5, 5200)], 1200);
    timeline.frame(2000);
    expect(timeline.since(0)?.map(({ sequence }) => sequence)).toEqual([4, 5]);

    const past = createHistory(1_000_000);
    for (const told of [commit(1, 2000), commit(2, 3000), commit(3, 4000)]) past.append(told);
    past.append(commit(4, 5100));
    timeline.push([commit(6, 5300)], 2000);
    timeline.frame(3000);
    timeline.join(past, 1);

    expect(timeline.since(0)).toBeNull();
    expect(shown(timeline, 3000)).toBe(6);
    const view = timeline.history().view();
    expect({ version: view.version, lostCount: view.lostCount }).toEqual({
      version: 6,
      lostCount: 0,
    });
    expect(timeline.history().startUs()).toBe(1_000_000);
    timeline.seek(3_500_000);
    expect(shown(timeline, 3100)).toBe(2);
  });

  test("a past that comes too late is not waited for", () => {
    const timeline = createTimeline();
    timeline.begin([], 0, 1);
    const many = Array.from({ length: 60_000 }, (_, at) => commit(at + 1, 5000));
    timeline.push(many, 0);
    timeline.frame(1000);
    expect(timeline.since(0)).toBeNull();
  });

  test("never queues without bound", () => {
    const timeline = createTimeline();
    const many = Array.from({ length: 30_000 }, (_, at) => commit(at + 1, 5000 + at));
    timeline.push(many, 0);
    // Not yet due, most of them; too many to wait.
    timeline.push([], 10);
    expect(shown(timeline, 10)).toBe(30_000);
  });
});

describe("the cluster's clock", () => {
  test("goes by the observation that travelled fastest", () => {
    const clock = createClusterClock();
    clock.heard(10_000_000, 500);
    clock.heard(10_100_000, 650);
    expect(clock.nowUs(700)).toBe(10_200_000);
  });

  test("forgets what it believed before a long sleep", () => {
    const clock = createClusterClock();
    clock.heard(10_000_000, 0);
    // The page's clock went on through the sleep, the cluster's did not.
    for (let ms = 60_000; ms < 80_000; ms += 1000)
      clock.heard(11_000_000 + (ms - 60_000) * 1000, ms);
    expect(clock.nowUs(80_000)).toBe(31_000_000);
  });

  test("knows nothing before it heard anything", () => {
    expect(createClusterClock().nowUs(1000)).toBe(0);
  });
});
