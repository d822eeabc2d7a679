import { describe, expect, test } from "vitest";
import {
  BLANK_SUMMARY,
  EMPTY_VIEW,
  createFold,
  linkKey,
  type Observation,
  type ObservationBody,
} from "@raftarium/observer";
import type { Layout, Place } from "./types.ts";
import {
  angleAt,
  groupsOf,
  laneOf,
  layoutOf,
  motionOf,
  pointAt,
  sceneOf,
  shapeOf,
  stageOf,
  termHue,
  timerRemaining,
  toSvg,
  DARK,
} from "./index.ts";

const SIZE = { width: 900, height: 560 };
const OPTIONS = { expectedFlightUs: 100_000, marksMax: 100 };
const WHOLE = { delayMs: 0, jitterMs: 0, dropRate: 0, duplicateRate: 0, messageKinds: [] };
const HEARTBEAT = { ...BLANK_SUMMARY, term: 1 };

function viewOf(
  nodeCount: number,
  ...told: readonly (readonly [number, number, ObservationBody])[]
) {
  const folding = createFold();
  const apply = (nodeId: number, timeUs: number, sequence: number, body: ObservationBody) => {
    const observation: Observation = { nodeId, incarnation: 1, sequence, timeUs, body };
    folding.apply(observation);
  };
  for (let nodeId = 1; nodeId <= nodeCount; nodeId += 1) {
    const process = { pid: nodeId, address: "", cause: "", lastWords: "" };
    apply(nodeId, 0, 0, { kind: "health-changed", health: "running", ...process });
  }
  told.forEach(([nodeId, timeUs, body], at) => apply(nodeId, timeUs, at + 1, body));
  return folding.snapshot();
}

const cut = (source: number, target: number) => ({ source, target, cut: true, ...WHOLE });

const PHONE = { width: 390, height: 440 };

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** About where a node's name, word and strip are, and the node. */
function nameBox({ nodeId, x, y, labelSide }: Place, { timerRadius }: Layout) {
  const disc = { left: x - timerRadius, right: x + timerRadius, top: y - timerRadius };
  const box: Record<Place["labelSide"], Box> = {
    below: { left: x - 40, right: x + 40, top: y + timerRadius + 6, bottom: y + timerRadius + 48 },
    above: { left: x - 40, right: x + 40, top: y - timerRadius - 54, bottom: y - timerRadius - 6 },
    left: { left: x - timerRadius - 110, right: x - timerRadius - 8, top: y - 22, bottom: y + 22 },
    right: { left: x + timerRadius + 8, right: x + timerRadius + 110, top: y - 22, bottom: y + 22 },
  };
  return { nodeId, box: box[labelSide], disc: { ...disc, bottom: y + timerRadius } };
}

function meet(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

describe("the ring", () => {
  for (let count = 1; count <= 9; count += 1) {
    for (const size of [SIZE, { width: 390, height: 430 }, { width: 1400, height: 760 }]) {
      test(`${count} nodes stand apart and inside ${size.width}x${size.height}`, () => {
        const ids = Array.from({ length: count }, (_, at) => at + 1);
        const { places, timerRadius } = layoutOf(ids, size);
        expect(places.size).toBe(count);
        for (const a of places.values()) {
          expect(a.x - timerRadius).toBeGreaterThanOrEqual(0);
          expect(a.x + timerRadius).toBeLessThanOrEqual(size.width);
          expect(a.y - timerRadius).toBeGreaterThanOrEqual(0);
          expect(a.y + timerRadius).toBeLessThanOrEqual(size.height);
          for (const b of places.values()) {
            if (a === b) continue;
            expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(2 * timerRadius);
          }
        }
      });
    }
  }

  // The page gives so many nodes more height on a phone.
  for (const size of [{ width: 947, height: 434 }, SIZE, { width: 1400, height: 760 }, PHONE]) {
    test(`names stand clear of other nodes and names on ${size.width}x${size.height}`, () => {
      for (let count = 1; count <= 9; count += 1) {
        const ids = Array.from({ length: count }, (_, at) => at + 1);
        const tall = { ...size, height: size === PHONE && count > 5 ? 560 : size.height };
        const layout = layoutOf(ids, tall);
        const boxes = [...layout.places.values()].map((place) => nameBox(place, layout));
        for (const { box, nodeId } of boxes) {
          for (const other of boxes) {
            if (other.nodeId === nodeId) continue;
            const pair = `of ${count}: ${nodeId} and ${other.nodeId}`;
            expect(meet(box, other.box), `names ${pair}`).toBe(false);
            expect(meet(box, other.disc), `name and node ${pair}`).toBe(false);
          }
        }
      }
    });
  }

  test("the first stands at the top, the others clockwise", () => {
    const { places } = layoutOf([1, 2, 3, 4, 5], SIZE);
    const at = (id: number) => places.get(id) ?? { x: 0, y: 0 };
    expect(at(1).x).toBeCloseTo(SIZE.width / 2);
    expect(at(2).x).toBeGreaterThan(at(1).x);
    expect(at(5).x).toBeLessThan(at(1).x);
    expect(at(1).y).toBeLessThan(at(2).y);
  });
});

describe("lanes", () => {
  const layout = layoutOf([1, 2, 3], SIZE);

  test("each direction has its own, apart from the other", () => {
    const forth = laneOf(layout, 1, 2);
    const back = laneOf(layout, 2, 1);
    if (forth === null || back === null) throw new Error("expected both lanes");
    const [a, b] = [pointAt(forth, 0.5), pointAt(back, 0.5)];
    expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(5);
    expect(Math.cos(angleAt(forth, 0) - angleAt(back, 0))).toBeCloseTo(-1);
  });

  test("one that bends still begins and ends where the straight one does", () => {
    const straight = laneOf(layout, 1, 2);
    const bent = laneOf(layout, 1, 2, 30);
    expect(bent?.from).toEqual(straight?.from);
    expect(bent?.to).toEqual(straight?.to);
  });
});

describe("a message", () => {
  const id = { source: 1, incarnation: 1, sequence: 1 };
  const sent = [1, 0, { kind: "message-sent", id, target: 2, message: HEARTBEAT }] as const;
  const arriving = [
    2,
    10,
    { kind: "message-arriving", id, target: 2, sentAtUs: 0, dueAtUs: 200_000, message: HEARTBEAT },
  ] as const;

  function fractionAt(view: ReturnType<typeof viewOf>, timeUs: number): number | null {
    const stage = stageOf(view, SIZE);
    const mark = motionOf(view, timeUs, stage, OPTIONS).messages[0];
    const lane = laneOf(stage.layout, 1, 2);
    if (mark === undefined || lane === null) return null;
    const whole = Math.hypot(lane.to.x - lane.from.x, lane.to.y - lane.from.y);
    return Math.hypot(mark.x - lane.from.x, mark.y - lane.from.y) / whole;
  }

  test("is where its time is, between sending and due", () => {
    const view = viewOf(3, sent, arriving);
    expect(fractionAt(view, 50_000)).toBeCloseTo(0.25);
    expect(fractionAt(view, 150_000)).toBeCloseTo(0.75);
  });

  test("goes by the expected delay until its due time is told", () => {
    expect(fractionAt(viewOf(3, sent), 50_000)).toBeCloseTo(0.5);
  });

  test("never passes its receiver, and is not there before it was sent", () => {
    const view = viewOf(3, sent, arriving);
    expect(fractionAt(view, 5_000_000)).toBeCloseTo(1);
    expect(fractionAt(view, -1)).toBeNull();
  });

  test("stops at a cut", () => {
    const links = [cut(1, 2), cut(2, 1)];
    const view = viewOf(3, sent, arriving, [0, 20, { kind: "links-changed", links }]);
    expect(fractionAt(view, 190_000)).toBeCloseTo(0.5);
  });

  test("fades at a receiver that is gone", () => {
    const dead = { pid: 0, address: "", cause: "SIGKILL", lastWords: "" };
    const view = viewOf(3, sent, [2, 1, { kind: "health-changed", health: "crashed", ...dead }]);
    const stage = stageOf(view, SIZE);
    expect(motionOf(view, 90_000, stage, OPTIONS).messages[0]?.crossed).toBe(false);
    expect(motionOf(view, 300_000, stage, OPTIONS).messages[0]?.crossed).toBe(true);
    expect(motionOf(view, 2_000_000, stage, OPTIONS).messages).toEqual([]);
  });

  test("too quick to be seen is a light with its measured latency", () => {
    const received = { kind: "message-received", id, target: 2, sentAtUs: 0 } as const;
    const view = viewOf(3, sent, [2, 400, { ...received, message: HEARTBEAT }]);
    const motion = motionOf(view, 50_000, stageOf(view, SIZE), OPTIONS);
    expect(motion.messages).toEqual([]);
    expect(motion.pulses[0]).toMatchObject({ source: 1, target: 2, latencyUs: 400, count: 1 });
    expect(motion.pulses[0]?.label.text).toBe("0.4 ms");
  });

  test("beyond what can be told apart becomes a light too", () => {
    const many = Array.from({ length: 300 }, (_, at) => {
      const message = { ...sent[2], id: { ...id, sequence: at + 1 } };
      return [1, at, message] as const;
    });
    const view = viewOf(3, ...many);
    const motion = motionOf(view, 60_000, stageOf(view, SIZE), OPTIONS);
    expect(motion.messages.length).toBe(OPTIONS.marksMax);
    expect(motion.pulses[0]?.count).toBe(200);
  });

  test("has a notch for each entry, and another form for each kind", () => {
    const append = { ...HEARTBEAT, kind: "append" } as const;
    const notches = (count: number) => shapeOf({ ...append, entryCount: count }).inner;
    expect(notches(3).split("M").length - 1).toBe(3);
    const kinds = ["append", "heartbeat", "vote", "snapshot", "transfer", "read-index"] as const;
    const outlines = kinds.map((kind) => shapeOf({ ...HEARTBEAT, kind, entryCount: 1 }).outline);
    expect(new Set(outlines).size).toBe(kinds.length);
    expect(shapeOf({ ...HEARTBEAT, kind: "pre-vote" }).dashed).toBe(true);
    expect(shapeOf({ ...append, reply: true }).filled).toBe(false);
  });
});

describe("walls", () => {
  const links = (...faults: readonly ReturnType<typeof cut>[]) =>
    viewOf(5, [0, 1, { kind: "links-changed", links: faults }]);
  const both = (a: number, b: number) => [cut(a, b), cut(b, a)];

  test("one direction cut: a short wall, and nothing stops the other way", () => {
    const stage = stageOf(links(cut(1, 2)), SIZE);
    expect(stage.walls.map((wall) => wall.key)).toEqual(["cut-1-2"]);
    expect(stage.stops.has(linkKey(1, 2))).toBe(true);
    expect(stage.stops.has(linkKey(2, 1))).toBe(false);
  });

  test("a node cut off from all has one arc before it", () => {
    const view = links(...[1, 2, 3, 5].flatMap((other) => both(4, other)));
    expect(groupsOf(view)).toEqual([[1, 2, 3, 5], [4]]);
    expect(stageOf(view, SIZE).walls.map((wall) => wall.key)).toEqual(["alone-4"]);
  });

  test("two groups have one wall between them, which every lane between them meets", () => {
    const view = links(...[1, 2].flatMap((a) => [3, 4, 5].flatMap((b) => both(a, b))));
    const stage = stageOf(view, SIZE);
    expect(stage.walls.map((wall) => wall.key)).toEqual(["groups"]);
    expect(stage.stops.size).toBe(12);
    for (const stop of stage.stops.values()) {
      expect(stop).toBeGreaterThan(0);
      expect(stop).toBeLessThan(1);
    }
  });

  test("no cut, no wall", () => {
    const slow = { ...cut(1, 2), cut: false, delayMs: 120 };
    const stage = stageOf(links(slow), SIZE);
    expect(stage.walls).toEqual([]);
    expect(stage.bends.get(linkKey(1, 2))).toBeGreaterThan(0);
    expect(stage.links[0]?.labels[0]?.text).toBe("+120 ms");
  });
});

describe("the timer", () => {
  const timer = { atUs: 0, elapsedTicks: 10, timeoutTicks: 40, tickUs: 1000 };
  const told = [2, 0, { kind: "timer-changed", timer }] as const;
  const nodeOf = (view: ReturnType<typeof viewOf>) => view.nodes[1] ?? EMPTY_VIEW.nodes[0];

  test("runs down with the ticks, and not below nothing", () => {
    const node = nodeOf(viewOf(3, told));
    if (node === undefined) throw new Error("expected node 2");
    expect(timerRemaining(node, 0)).toBeCloseTo(0.75);
    expect(timerRemaining(node, 10_000)).toBeCloseTo(0.5);
    expect(timerRemaining(node, 900_000)).toBe(0);
  });

  test("stands still in a process that is stopped", () => {
    const stopped = { pid: 2, address: "", cause: "SIGSTOP", lastWords: "" };
    const paused = { kind: "health-changed", health: "paused", ...stopped } as const;
    const node = nodeOf(viewOf(3, told, [2, 10_000, paused]));
    if (node === undefined) throw new Error("expected node 2");
    expect(timerRemaining(node, 500_000)).toBeCloseTo(0.5);
  });
});

test("terms take their hues in turn; before any election there is none", () => {
  expect([0, 1, 7, 8, 15].map(termHue)).toEqual([-1, 0, 6, 0, 0]);
});

test("the SVG has at most three decimals, and escapes what others wrote", () => {
  const svg = toSvg(sceneOf(viewOf(5), 0, SIZE, OPTIONS), DARK);
  expect(svg).not.toMatch(/\d\.\d{4}/);
  const hostile = { pid: 0, address: "", cause: '<b>&"', lastWords: "" };
  const crash = { kind: "health-changed", health: "crashed", ...hostile } as const;
  const written = toSvg(sceneOf(viewOf(2, [1, 1, crash]), 1, SIZE, OPTIONS), DARK);
  expect(written).toContain("&lt;b>&amp;&quot;");
});
