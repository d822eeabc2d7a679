/** The history that the tape is painted with: terms, writes, kills. Pure. */
import type { Health, Observation } from "@raftarium/observer";

type Role = "follower" | "pre-candidate" | "candidate" | "leader" | "learner";

/** A time with one leader in one term. */
export interface Band {
  readonly fromUs: number;
  /** null: it still leads. */
  readonly toUs: number | null;
  readonly term: number;
  readonly leaderId: number;
}

export interface Kill {
  readonly atUs: number;
  readonly nodeId: number;
}

export interface TapeModel {
  readonly bands: readonly Band[];
  /** When leaders committed, ascending. */
  readonly writes: readonly number[];
  readonly kills: readonly Kill[];
}

export interface Tape {
  take(observation: Observation): void;
  model(): TapeModel;
}

const WRITES_MAX = 4000;
const BANDS_MAX = 1000;
const KILLS_MAX = 1000;
/** Writes closer than this are one tick. */
const WRITE_APART_US = 20_000;

interface Known {
  role: Role;
  term: number;
  health: Health;
}

export function createTape(): Tape {
  const nodes = new Map<number, Known>();
  let bands: Band[] = [];
  let writes: number[] = [];
  let kills: Kill[] = [];
  let open: Band | null = null;
  let model: TapeModel | null = null;

  function leader(): { nodeId: number; term: number } | null {
    let found: { nodeId: number; term: number } | null = null;
    for (const [nodeId, known] of nodes) {
      if (known.role !== "leader" || known.health !== "running") continue;
      if (found === null || known.term > found.term) found = { nodeId, term: known.term };
    }
    return found;
  }

  /** Whoever leads now, from this moment on. */
  function paint(atUs: number): void {
    const now = leader();
    if (open?.leaderId === now?.nodeId && open?.term === now?.term) return;
    model = null;
    if (open !== null) bands[bands.length - 1] = { ...open, toUs: Math.max(atUs, open.fromUs) };
    open = now === null ? null : { fromUs: atUs, toUs: null, term: now.term, leaderId: now.nodeId };
    if (open !== null) bands.push(open);
    if (bands.length > BANDS_MAX) bands = bands.slice(-BANDS_MAX);
  }

  function knownOf(nodeId: number): Known {
    let known = nodes.get(nodeId);
    if (known === undefined) {
      known = { role: "follower", term: 0, health: "running" };
      nodes.set(nodeId, known);
    }
    return known;
  }

  return {
    take({ nodeId, timeUs, body }) {
      switch (body.kind) {
        case "role-changed": {
          const known = knownOf(nodeId);
          known.role = body.role;
          known.term = body.term;
          return paint(timeUs);
        }
        case "node-view": {
          const known = knownOf(nodeId);
          known.role = body.view.role;
          known.term = body.view.term;
          return paint(timeUs);
        }
        case "health-changed": {
          const before = nodes.get(nodeId);
          const known = knownOf(nodeId);
          const ended =
            body.health === "crashed" && before !== undefined && before.health !== "crashed";
          known.health = body.health;
          if (body.health === "starting") known.role = "follower";
          if (ended) {
            kills = [...kills, { atUs: timeUs, nodeId }].slice(-KILLS_MAX);
            model = null;
          }
          return paint(timeUs);
        }
        case "node-removed":
          nodes.delete(nodeId);
          return paint(timeUs);
        case "commit-advanced": {
          if (open?.leaderId !== nodeId) return;
          if (timeUs - (writes.at(-1) ?? -Infinity) < WRITE_APART_US) return;
          writes.push(timeUs);
          if (writes.length > WRITES_MAX + 256) writes = writes.slice(-WRITES_MAX);
          model = null;
          return;
        }
        default:
          return;
      }
    },
    model() {
      model ??= { bands: [...bands], writes: [...writes], kills };
      return model;
    },
  };
}
