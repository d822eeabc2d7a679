/** The properties of Figure 3, over many random histories. See test/cluster.ts for the checks. */
import { describe, expect, test } from "vitest";
import { Cluster } from "../test/cluster.ts";
import type { ClusterOptions } from "../test/cluster.ts";

const variants: (Omit<ClusterOptions, "seed"> & { name: string; seeds: number })[] = [
  { name: "three nodes", voterCount: 3, seeds: 30 },
  { name: "five nodes", voterCount: 5, seeds: 15 },
  {
    name: "without PreVote and check-quorum",
    voterCount: 3,
    seeds: 20,
    overrides: { preVote: false, checkQuorum: false },
  },
  {
    name: "three nodes of different priorities",
    voterCount: 3,
    seeds: 15,
    overridesOf: (id) => ({ priority: id }),
  },
  { name: "four nodes whose membership changes", voterCount: 4, seeds: 40, membership: true },
];

/** Progress is demanded within this many rounds after everything works again. */
const calmRounds = 300;

/** STORY=40 prints the last 40 steps before a violation; SEED=7 SEEDS=1 runs just that seed. */
const storyLength = Number(process.env["STORY"] ?? 1);

function run(options: ClusterOptions, steps: number): Cluster {
  const cluster = new Cluster(options);
  try {
    for (let i = 0; i < steps; i++) cluster.chance(1);
    cluster.heal();
    let proposedAt = 0;
    for (let round = 0; round < calmRounds; round++) {
      cluster.calm();
      const { leader } = cluster;
      if (leader !== undefined && proposedAt === 0 && round > calmRounds / 2) {
        cluster.propose("after all that");
        proposedAt = leader.raft.status().lastIndex;
      }
    }
    expect(proposedAt, "no leader after everything was healed").toBeGreaterThan(0);
    const { configuration } = cluster.leader!.raft.status();
    for (const id of configuration.voters) {
      expect(cluster.nodes.get(id)!.appliedIndex, `node ${id}`).toBeGreaterThanOrEqual(proposedAt);
    }
    expect(configuration.votersOutgoing, "stuck in a joint configuration").toEqual([]);
  } catch (error) {
    const story = cluster.history.slice(-storyLength).join("\n");
    throw new Error(`seed ${options.seed}: ${String(error)}\n${story}`, { cause: error });
  }
  return cluster;
}

const properties =
  "election safety, leader append-only, log matching, leader completeness, state machine safety";

describe(`Figure 3: ${properties}`, () => {
  for (const { name, seeds, ...variant } of variants) {
    test(`${name}: no seed of ${seeds} breaks safety, and all recover`, { timeout: 60_000 }, () => {
      const happened = { accepted: 0, reads: 0, leaders: 0, restored: 0, configurations: 0 };
      const first = Number(process.env["SEED"] ?? 1);
      const count = Number(process.env["SEEDS"] ?? seeds);
      for (let seed = first; seed < first + count; seed++) {
        const cluster = run({ ...variant, seed }, 4_000);
        happened.accepted += cluster.acceptedCount;
        happened.reads += cluster.readsReady;
        happened.leaders += cluster.checks.leadersCount;
        happened.restored += cluster.restoredCount;
        happened.configurations += cluster.checks.configurationsCommitted;
      }
      // Chance that does nothing proves nothing.
      expect(happened.accepted / count).toBeGreaterThan(20);
      expect(happened.reads / count).toBeGreaterThan(5);
      expect(happened.leaders / count).toBeGreaterThan(2);
      expect(happened.restored / count).toBeGreaterThan(0.2);
      if (variant.membership === true) expect(happened.configurations / count).toBeGreaterThan(1);
    });
  }
});
