/**
 * One run: a cluster of real nodes in a virtual world, two phases, one verdict.
 *
 * Phase one injects whatever the seed's swarm says. Then a random majority is healed, and only
 * that: it must commit a fresh write within `PROGRESS_BOUND_ELECTIONS` longest election timeouts.
 * When the time is over the clients stop, and the healed nodes must come to the same state.
 */
import { createInvariantChecker } from "@raftarium/checker";
import type { InvariantChecker, Operation, Violation } from "@raftarium/checker";
import type { Observation } from "@raftarium/observer";
import { createRandom } from "@raftarium/raft";
import { openStorage } from "@raftarium/storage";
import { createChance } from "./chance.ts";
import type { Chance } from "./chance.ts";
import { createClients } from "./clients.ts";
import type { Clients } from "./clients.ts";
import { createFaultCounts } from "./fault-counts.ts";
import type { FaultCounts } from "./fault-counts.ts";
import type { InjectedFault } from "./faults.ts";
import { createNemesis, replayFaults } from "./nemesis.ts";
import type { Nemesis, NemesisPorts } from "./nemesis.ts";
import { createNetwork } from "./network.ts";
import type { Network } from "./network.ts";
import { createOracle } from "./oracle.ts";
import type { Oracle } from "./oracle.ts";
import { createProcess } from "./process.ts";
import type { ProcessOptions, Sabotage, VirtualProcess } from "./process.ts";
import { drawSwarm } from "./swarm.ts";
import type { Swarm } from "./swarm.ts";
import { createTimeline } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";
import { createTrace } from "./trace.ts";
import type { Trace } from "./trace.ts";
import { createVirtualDisk } from "./virtual-disk.ts";

/** A healed majority must commit within so many longest election timeouts. */
export const PROGRESS_BOUND_ELECTIONS = 20;
/** Share of a run's time in which faults are injected. */
const FAULT_SHARE = 0.65;
const POLL_US = 10_000;

export interface SimulationOptions {
  /** Any safe integer. */
  readonly seed: number;
  readonly nodeCount: number;
  /** Simulated time with clients, seconds. The end may take a little longer. */
  readonly seconds: number;
  /** These faults, and no others, in place of what the seed would draw. */
  readonly schedule?: readonly InjectedFault[];
  /** Takes the place of what the seed draws. */
  readonly overrides?: Partial<Swarm>;
  readonly sabotage?: Sabotage;
  /** Gets every observation of every node; without it, none are made. */
  readonly onObservation?: (observation: Observation) => void;
  /** Gets what the world did, in plain words: faults, clients' operations, phases. */
  readonly onEvent?: (timeUs: number, text: string) => void;
}

export interface SimulationResult {
  readonly seed: number;
  /** The first promise that was broken; null: none was. */
  readonly violation: Violation | null;
  /** When it was broken, or when the run ended. */
  readonly simulatedUs: number;
  /** Equal for equal seeds and options, whatever the machine. */
  readonly traceHash: string;
  readonly eventCount: number;
  readonly messageCount: number;
  readonly operationCount: number;
  readonly acknowledgedCount: number;
  readonly committedCount: number;
  readonly faults: readonly (readonly [kind: string, count: number])[];
  readonly history: readonly Operation[];
  /** The faults injected, in order; as `schedule` they are injected again. */
  readonly schedule: readonly InjectedFault[];
  readonly swarm: Swarm;
}

export function simulate(options: SimulationOptions): SimulationResult {
  return new World(options).run();
}

class World {
  readonly #options: SimulationOptions;
  readonly #chance: Chance;
  readonly #swarm: Swarm;
  readonly #timeline: Timeline = createTimeline();
  readonly #trace: Trace = createTrace();
  readonly #counts: FaultCounts = createFaultCounts();
  readonly #checker: InvariantChecker;
  readonly #oracle: Oracle;
  readonly #network: Network;
  readonly #processes: readonly VirtualProcess[];
  readonly #nemesis: Nemesis;
  readonly #clients: Clients;

  constructor(options: SimulationOptions) {
    this.#options = options;
    const { seed, nodeCount } = options;
    this.#chance = createChance(seed);
    this.#swarm = { ...drawSwarm(this.#chance.fork(1), nodeCount), ...options.overrides };
    const nodeIds = Array.from({ length: nodeCount }, (_, at) => at + 1);
    this.#checker = createInvariantChecker({ voters: nodeIds, durability: true });
    this.#oracle = createOracle(this.#checker);
    this.#network = createNetwork(nodeCount, this.#swarm.network, {
      timeline: this.#timeline,
      chance: this.#chance.fork(2),
      counts: this.#counts,
      deliver: (envelope) => this.#processes[envelope.target - 1]?.deliver(envelope),
    });
    this.#processes = nodeIds.map((nodeId) => this.#createProcess(nodeId, nodeIds));
    const ports: NemesisPorts = {
      timeline: this.#timeline,
      chance: this.#chance.fork(3),
      counts: this.#counts,
      network: this.#network,
      processes: this.#processes,
      tell: (text) => this.#tell(text),
    };
    this.#nemesis =
      options.schedule === undefined
        ? createNemesis(this.#swarm.faults, ports)
        : replayFaults(options.schedule, ports);
    this.#clients = createClients(this.#swarm, {
      timeline: this.#timeline,
      chance: this.#chance.fork(4),
      oracle: this.#oracle,
      trace: this.#trace,
      processes: this.#processes,
      tell: options.onEvent === undefined ? null : (text) => this.#tell(text),
    });
  }

  run(): SimulationResult {
    const totalUs = Math.round(this.#options.seconds * 1_000_000);
    this.#tell(`swarm: ${JSON.stringify(this.#swarm)}`);
    for (const process of this.#processes) process.start();
    if (this.#runUntil(Math.round(totalUs * FAULT_SHARE))) {
      const core = this.#heal();
      if (this.#demandProgress(core) && this.#runUntil(totalUs)) {
        this.#clients.stop();
        this.#demandConvergence(core);
      }
    }
    return this.#result();
  }

  /** Runs to that time. False: a promise was broken on the way. */
  #runUntil(untilUs: number): boolean {
    const { violations } = this.#checker;
    while (this.#timeline.step(untilUs)) {
      this.#oracle.advance();
      if (violations.length > 0) return false;
    }
    return violations.length === 0;
  }

  /** Mends a random majority; what is wrong with the others, and between, stays wrong. */
  #heal(): readonly VirtualProcess[] {
    this.#nemesis.stop();
    const { nodeCount } = this.#options;
    const size = this.#chance.integer(Math.floor(nodeCount / 2) + 1, nodeCount);
    const shuffled = this.#chance.shuffled(this.#processes);
    const core = shuffled.slice(0, size).toSorted((left, right) => left.nodeId - right.nodeId);
    const coreIds = core.map(({ nodeId }) => nodeId);
    for (const process of core) {
      process.repairDisk();
      if (process.health === "crashed") process.start();
      process.resume();
      process.setClockRate(1);
      process.setDiskSlowness(1);
    }
    this.#network.heal(coreIds);
    this.#tell(`healed: nodes ${coreIds.join(", ")}, and only these`);
    for (const outsider of shuffled.slice(size)) this.#shutOut(outsider.nodeId, coreIds);
    return core;
  }

  /** Outside of the core: heard by it, or hearing it, or neither; never a whole link. */
  #shutOut(outsider: number, coreIds: readonly number[]): void {
    const speaks = this.#chance.happens(0.3);
    const hears = !speaks && this.#chance.happens(0.5);
    const what = speaks ? "is heard but hears nothing" : hears ? "only hears" : "is cut off";
    this.#tell(`node ${outsider} ${what}`);
    for (const nodeId of coreIds) {
      if (!speaks) this.#network.cut(outsider, nodeId);
      if (!hears) this.#network.cut(nodeId, outsider);
    }
  }

  #demandProgress(core: readonly VirtualProcess[]): boolean {
    let acknowledged = false;
    this.#clients.probe(
      core.map(({ nodeId }) => nodeId),
      () => {
        acknowledged = true;
      },
    );
    return this.#demand("progress", "a fresh write acknowledged", core, () => acknowledged);
  }

  #demandConvergence(core: readonly VirtualProcess[]): boolean {
    let probedIndex = 0;
    this.#clients.probe(
      core.map(({ nodeId }) => nodeId),
      (index) => {
        probedIndex = index;
      },
    );
    const caughtUp = this.#demand(
      "convergence",
      "every healed node to have applied the last write",
      core,
      () =>
        probedIndex > 0 &&
        core.every((process) => process.appliedIndex() >= this.#checker.commitIndex),
    );
    if (!caughtUp) return false;
    return this.#checkSameState(core);
  }

  #checkSameState(core: readonly VirtualProcess[]): boolean {
    const expected = this.#oracle.stateText();
    const first = core[0]?.snapshotFingerprint();
    for (const process of core) {
      const found = process.stateText();
      const snapshot = process.snapshotFingerprint();
      if (found === expected && snapshot === first) continue;
      const explanation =
        found === expected
          ? `node ${process.nodeId} makes a snapshot of ${snapshot}, ` +
            `but node ${core[0]?.nodeId} one of ${first}`
          : `node ${process.nodeId} has ${found}, but the committed log makes ${expected}`;
      this.#checker.report({ invariant: "convergence", explanation, nodeIds: [process.nodeId] });
      return false;
    }
    return true;
  }

  #demand(
    invariant: "progress" | "convergence",
    what: string,
    core: readonly VirtualProcess[],
    isMet: () => boolean,
  ): boolean {
    const { tickUs, electionTicksMax } = this.#swarm;
    const boundUs = PROGRESS_BOUND_ELECTIONS * electionTicksMax * tickUs;
    const deadlineUs = this.#timeline.nowUs() + boundUs;
    while (!isMet()) {
      if (!this.#runUntil(this.#timeline.nowUs() + POLL_US)) return false;
      if (this.#timeline.nowUs() < deadlineUs) continue;
      this.#checker.report({
        invariant,
        explanation:
          `expected ${what} within ${boundUs / 1000} ms of healing, but: ` +
          core.map((process) => process.describe()).join("; "),
        nodeIds: core.map(({ nodeId }) => nodeId),
      });
      return false;
    }
    return true;
  }

  #createProcess(nodeId: number, nodeIds: readonly number[]): VirtualProcess {
    const chance = this.#chance.fork(100 + nodeId);
    const { timeline, counts, swarm } = {
      timeline: this.#timeline,
      counts: this.#counts,
      swarm: this.#swarm,
    };
    const disk = createVirtualDisk({
      nodeId,
      swarm,
      timeline,
      counts,
      chance: chance.fork(1),
      openStorage: this.#options.sabotage?.openStorage ?? openStorage,
    });
    return createProcess(nodeOptions(nodeId, nodeIds, swarm, chance.integer(1, 2 ** 48)), {
      timeline,
      chance,
      disk,
      checker: this.#checker,
      trace: this.#trace,
      sabotage: this.#options.sabotage ?? {},
      observer: this.#options.onObservation ?? null,
      send: (envelope) => this.#network.send(envelope),
      failed: (failedId, error) => this.#failed(failedId, error),
      healthChanged: (changedId, health) => {
        this.#trace.note(32, changedId, health.length, timeline.nowUs());
        this.#tell(`node ${changedId} ${health}`);
        if (health === "crashed") this.#tellPeers(changedId);
      },
    });
  }

  /** The others find their connections broken. */
  #tellPeers(crashedId: number): void {
    for (const process of this.#processes) {
      if (process.nodeId === crashedId) continue;
      const delayUs = this.#chance.integer(100, 2000);
      this.#timeline.after(delayUs, () => process.unreachable(crashedId));
    }
  }

  #failed(nodeId: number, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#checker.report({
      invariant: "no crash of its own",
      explanation: `node ${nodeId} threw: ${text}`,
      nodeIds: [nodeId],
    });
  }

  #tell(text: string): void {
    this.#options.onEvent?.(this.#timeline.nowUs(), text);
  }

  #result(): SimulationResult {
    const violation = this.#checker.violations[0] ?? null;
    if (violation !== null) this.#tell(`${violation.invariant}: ${violation.explanation}`);
    return {
      seed: this.#options.seed,
      violation,
      simulatedUs: this.#timeline.nowUs(),
      traceHash: this.#trace.digest(),
      eventCount: this.#timeline.stepCount,
      messageCount: this.#network.deliveredCount,
      operationCount: this.#clients.history.length,
      acknowledgedCount: this.#clients.acknowledgedCount,
      committedCount: this.#checker.commitIndex,
      faults: this.#counts.entries(),
      history: this.#clients.history,
      schedule: this.#nemesis.injected,
      swarm: this.#swarm,
    };
  }
}

function nodeOptions(
  id: number,
  nodeIds: readonly number[],
  swarm: Swarm,
  seed: number,
): ProcessOptions {
  return {
    tickUs: swarm.tickUs,
    snapshotEntries: swarm.snapshotEntries,
    historyRevisionsMax: swarm.historyRevisionsMax,
    snapshotBytes: 1 << 20,
    raft: {
      id,
      initialConfiguration: { voters: nodeIds, votersOutgoing: [], learners: [], addresses: {} },
      random: createRandom(seed),
      electionTicksMin: swarm.electionTicksMin,
      electionTicksMax: swarm.electionTicksMax,
      heartbeatTicks: swarm.heartbeatTicks,
      preVote: true,
      checkQuorum: true,
      leaseReads: false,
      priority: 0,
      entriesPerAppendMax: swarm.entriesPerAppendMax,
      bytesPerAppendMax: swarm.bytesPerAppendMax,
      inflightAppendsMax: swarm.inflightAppendsMax,
      inflightBytesMax: 1 << 20,
      uncommittedBytesMax: 1 << 22,
      snapshotChunkBytes: swarm.snapshotChunkBytes,
      trailingEntries: swarm.trailingEntries,
    },
  };
}
