/**
 * One run: a cluster of real nodes in a virtual world, two phases, one verdict.
 *
 * Phase one injects whatever the seed's swarm says. Then a random majority is healed, and only
 * that: it must commit a fresh write within `PROGRESS_BOUND_ELECTIONS` longest election timeouts.
 * When the time is over the clients stop, and the healed nodes must come to the same state. What
 * the clients were told must be linearizable.
 */
import { checkLinearizable, createInvariantChecker } from "@raftarium/checker";
import type { InvariantChecker, Operation, Verdict, Violation } from "@raftarium/checker";
import type { Observation } from "@raftarium/observer";
import { createChance } from "./chance.ts";
import type { Chance } from "./chance.ts";
import { createClients } from "./clients.ts";
import type { Clients } from "./clients.ts";
import { createConfigurationChain } from "./configuration-chain.ts";
import type { ConfigurationChain } from "./configuration-chain.ts";
import { createFaultCounts } from "./fault-counts.ts";
import type { FaultCounts } from "./fault-counts.ts";
import type { InjectedFault } from "./faults.ts";
import { createFleet, NODE_IDS } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import { canElect, chooseCore, membersAmong } from "./healing.ts";
import { createNemesis, replayFaults } from "./nemesis.ts";
import type { Nemesis, NemesisPorts } from "./nemesis.ts";
import { createNetwork } from "./network.ts";
import type { Network } from "./network.ts";
import { createOperator } from "./operator.ts";
import type { Operator } from "./operator.ts";
import { createOracle } from "./oracle.ts";
import type { Oracle } from "./oracle.ts";
import type { ProcessHealth, Sabotage, VirtualProcess } from "./process.ts";
import { drawSwarm, withOverrides } from "./swarm.ts";
import type { Swarm } from "./swarm.ts";
import { createTimeline } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";
import { createTrace } from "./trace.ts";
import type { Trace } from "./trace.ts";
import { isWitness } from "./witness.ts";

/** A healed majority must commit within so many longest election timeouts, if Raft lets it. */
export const PROGRESS_BOUND_ELECTIONS = 20;
/** Share of a run's time in which faults are injected. */
const FAULT_SHARE = 0.65;
const POLL_US = 10_000;
const NOTE_HEALTH = 32;
/** Configurations that the search for a linearization may look at. */
const LINEARIZABILITY_BUDGET = 20_000;

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
  /**
   * The run goes on after a broken promise, to see who else finds it; whoever throws has crashed.
   * Without it, the run ends there.
   */
  readonly toTheEnd?: boolean;
  /** Gets every observation of every node; without it, none are made. */
  readonly onObservation?: (observation: Observation) => void;
  /** Gets what the world did, in plain words: faults, clients' operations, phases. */
  readonly onEvent?: (timeUs: number, text: string) => void;
}

export interface SimulationResult {
  readonly seed: number;
  /** The first promise that was broken; null: none was. */
  readonly violation: Violation | null;
  /** For each broken promise the first time: of that one event, or of all, if it went `toTheEnd`. */
  readonly violations: readonly Violation[];
  /** When it was broken, or when the run ended. */
  readonly simulatedUs: number;
  /** Equal for equal seeds and options, whatever the machine. */
  readonly traceHash: string;
  readonly eventCount: number;
  readonly messageCount: number;
  readonly operationCount: number;
  readonly acknowledgedCount: number;
  readonly committedCount: number;
  /** Of what the clients were told; unknown: the search was given up. null: the run broke off. */
  readonly linearizability: Verdict | null;
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
  readonly #chain: ConfigurationChain;
  readonly #network: Network;
  readonly #fleet: Fleet;
  readonly #operator: Operator;
  readonly #nemesis: Nemesis;
  readonly #clients: Clients;
  /** Whom the second phase has healed. */
  #healed: readonly VirtualProcess[] = [];
  #linearizability: Verdict | null = null;

  constructor(options: SimulationOptions) {
    this.#options = options;
    const { seed, nodeCount } = options;
    const [timeline, trace, counts] = [this.#timeline, this.#trace, this.#counts];
    this.#chance = createChance(seed);
    const drawn = drawSwarm(this.#chance.fork(1), nodeCount);
    this.#swarm = withOverrides(drawn, options.overrides ?? {});
    const nodeIds = Array.from({ length: nodeCount }, (_, at) => at + 1);
    const checker = createInvariantChecker({ voters: nodeIds, durability: true });
    this.#checker = checker;
    const initial = { voters: nodeIds, votersOutgoing: [], learners: [], addresses: {} };
    this.#chain = createConfigurationChain(initial, checker);
    this.#oracle = createOracle(checker);
    this.#network = createNetwork(NODE_IDS, this.#swarm.network, {
      timeline,
      chance: this.#chance.fork(2),
      counts,
      deliver: (envelope) => this.#fleet.find(envelope.target)?.deliver(envelope),
    });
    this.#fleet = createFleet(nodeIds, {
      seed: this.#chance.integer(1, 2 ** 48),
      swarm: this.#swarm,
      timeline,
      trace,
      counts,
      checker,
      chain: this.#chain,
      network: this.#network,
      sabotage: options.sabotage ?? {},
      throwingIsFatal: options.toTheEnd === true,
      observer: options.onObservation ?? null,
      healthChanged: (nodeId, health) => this.#healthChanged(nodeId, health),
    });
    const fleet = this.#fleet;
    const tell = options.onEvent === undefined ? null : (text: string) => this.#tell(text);
    this.#operator = createOperator({
      timeline,
      checker,
      counts,
      fleet,
      wishesMax: this.#swarm.operators,
      tell,
    });
    const ports: NemesisPorts = {
      timeline,
      chance: this.#chance.fork(3),
      counts,
      network: this.#network,
      fleet,
      operator: this.#operator,
      tell,
    };
    this.#nemesis =
      options.schedule === undefined
        ? createNemesis(this.#swarm.faults, ports)
        : replayFaults(options.schedule, ports);
    this.#clients = createClients(this.#swarm, {
      timeline,
      chance: this.#chance.fork(4),
      counts,
      oracle: this.#oracle,
      trace,
      fleet,
      tell,
    });
  }

  run(): SimulationResult {
    const totalUs = Math.round(this.#options.seconds * 1_000_000);
    if (this.#options.onEvent !== undefined) this.#tell(`swarm: ${JSON.stringify(this.#swarm)}`);
    for (const process of this.#fleet.all) process.start();
    if (this.#runUntil(Math.round(totalUs * FAULT_SHARE))) {
      const core = this.#heal();
      if (core === null) this.#counts.add("majority lost for good");
      else if (
        (this.#demandProgress(core) || this.#options.toTheEnd === true) &&
        this.#runUntil(totalUs)
      ) {
        this.#clients.stop();
        this.#demandConvergence(core);
      }
    }
    if (!this.#isOver()) this.#demandLinearizability();
    return this.#result();
  }

  /** Runs to that time. False: a promise was broken on the way, and the run is over. */
  #runUntil(untilUs: number): boolean {
    const { violations } = this.#checker;
    while (this.#timeline.step(untilUs)) {
      this.#oracle.advance();
      this.#chain.advance();
      if (violations.length > 0 && this.#isOver()) return false;
    }
    return !this.#isOver();
  }

  #isOver(): boolean {
    return this.#checker.violations.length > 0 && this.#options.toTheEnd !== true;
  }

  /** Mends a random majority; what is wrong with the others, and between, stays wrong. */
  #heal(): readonly VirtualProcess[] | null {
    this.#nemesis.stop();
    this.#operator.stop();
    const core = chooseCore(this.#fleet.all, this.#chain.committed, this.#chance);
    if (core === null) return null;
    const coreIds = core.map(({ nodeId }) => nodeId);
    for (const process of core) {
      process.repairDisk();
      if (process.health === "crashed") process.start();
      process.resume();
      process.setClockRate(1);
      process.setDiskSlowness(1);
      process.setSnapshotTrap(0, null);
    }
    this.#healed = core;
    this.#network.heal(coreIds);
    this.#tell(`healed: nodes ${coreIds.join(", ")}, and only these`);
    for (const { nodeId, retired } of this.#fleet.all) {
      if (!retired && !coreIds.includes(nodeId)) this.#shutOut(nodeId, coreIds);
    }
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
        membersAmong(core, this.#chain.committed).every(
          (process) => process.appliedIndex() >= this.#checker.commitIndex,
        ),
    );
    if (!caughtUp) return false;
    return this.#checkSameState(membersAmong(core, this.#chain.committed));
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

  /**
   * Whether any order explains the answers. Nearly always that of the log does, which is quick to
   * see; otherwise a search that knows nothing but the answers looks for another.
   */
  #demandLinearizability(): void {
    if (isWitness(this.#clients.placed())) {
      this.#linearizability = "ok";
      return;
    }
    const budget = LINEARIZABILITY_BUDGET;
    const { verdict, sentence } = checkLinearizable(this.#clients.history(), { budget });
    this.#linearizability = verdict;
    if (verdict !== "illegal") return;
    this.#checker.report({ invariant: "linearizability", explanation: sentence, nodeIds: [] });
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
      if (this.#isStuckByRaft(core)) {
        this.#counts.add("nobody who was healed can be elected");
        return false;
      }
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

  /** All of them run, and none may be elected: of that, nobody is to be accused. */
  #isStuckByRaft(core: readonly VirtualProcess[]): boolean {
    const standings = core.flatMap((process) => process.standing() ?? []);
    return standings.length === core.length && !canElect(standings);
  }

  #healthChanged(nodeId: number, health: ProcessHealth): void {
    this.#trace.note(NOTE_HEALTH, nodeId, health.length, this.#timeline.nowUs());
    this.#tell(`node ${nodeId} ${health}`);
    if (health !== "crashed") return;
    // The others find their connections broken.
    for (const process of this.#fleet.all) {
      if (process.nodeId === nodeId) continue;
      const delayUs = this.#chance.integer(100, 2000);
      this.#timeline.after(delayUs, () => process.unreachable(nodeId));
    }
    // A write that was under way when the disk was repaired may still fail, and end the process.
    const healed = this.#healed.find((process) => process.nodeId === nodeId);
    if (healed !== undefined) this.#timeline.after(POLL_US, () => healed.start());
  }

  #tell(text: string): void {
    this.#options.onEvent?.(this.#timeline.nowUs(), text);
  }

  #result(): SimulationResult {
    const violations = firstOfEach(this.#checker.violations);
    const violation = violations[0] ?? null;
    if (violation !== null) this.#tell(`${violation.invariant}: ${violation.explanation}`);
    const history = this.#clients.history();
    return {
      seed: this.#options.seed,
      violation,
      violations,
      simulatedUs: this.#timeline.nowUs(),
      traceHash: this.#trace.digest(),
      eventCount: this.#timeline.stepCount,
      messageCount: this.#network.deliveredCount,
      operationCount: history.length,
      acknowledgedCount: this.#clients.acknowledgedCount,
      committedCount: this.#checker.commitIndex,
      linearizability: this.#linearizability,
      faults: this.#counts.entries(),
      history,
      schedule: this.#nemesis.injected,
      swarm: this.#swarm,
    };
  }
}

function firstOfEach(violations: readonly Violation[]): readonly Violation[] {
  const found = new Map<string, Violation>();
  for (const violation of violations) {
    if (!found.has(violation.invariant)) found.set(violation.invariant, violation);
  }
  return [...found.values()];
}
