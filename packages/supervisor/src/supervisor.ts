import type { Health } from "@raftarium/observer";
import { SupervisorError } from "./errors.ts";
import { isStopped } from "./proc-stat.ts";
import { startProcess, type NodeProcess, type ProcessSpec } from "./process.ts";
import { startWatchdog } from "./watchdog.ts";

/** How to start one node; the same at each of its starts. */
export interface NodeSpec extends ProcessSpec {
  readonly nodeId: number;
  /** Where it listens, for people and clients; not used by the supervisor itself. */
  readonly address: string;
}

/** What is known of one node's process. */
export interface ProcessView {
  readonly nodeId: number;
  readonly address: string;
  readonly health: Health;
  /** 0: no process. */
  readonly pid: number;
  /**
   * How often the node was started, as the node itself counts (1: once); 0: it never listened. A
   * start counts from the moment when the process listens.
   */
  readonly incarnation: number;
  /** Why the last process ended: "SIGKILL", "exit 1"; empty while one runs, or before any did. */
  readonly cause: string;
  /** The last line that the last process wrote on standard error before it ended. */
  readonly lastWords: string;
}

export interface SupervisorOptions {
  /** Called after every change of any process's view. */
  readonly onChange: (view: ProcessView) => void;
  /** After SIGTERM, how long a process may take before SIGKILL. Milliseconds. */
  readonly stopGraceMsMax?: number;
  /** How long a process may take from its start to its "listening" line. Milliseconds. */
  readonly startMsMax?: number;
}

/** Ends of any kind take at most 3 s: this grace, and some room for SIGKILL to be carried out. */
const STOP_GRACE_MS_MAX = 2_500;
/** A node that leaves when its standard input closes has nothing to wait for. */
const END_GRACE_MS_MAX = 1_000;
const START_MS_MAX = 60_000;

/** How often it is looked whether somebody else stopped a process, or let it go on. */
const LOOK_MS = 200;

interface Managed {
  readonly spec: NodeSpec;
  view: ProcessView;
  process: NodeProcess | null;
  /** At the last look the process was not what `view` says. */
  contradicted: boolean;
}

/**
 * Starts, signals and watches node processes. All of them end with this process, however it ends.
 * Every method that names a node throws (or rejects with) a SupervisorError: "unknown-node", or
 * "wrong-health" when the node is not in a state for it.
 */
export interface Supervisor {
  /** Makes a node known; it is "stopped" until `start`. */
  add(spec: NodeSpec): void;
  /** Forgets a node that has no process. */
  remove(nodeId: number): void;
  /** Resolves once the process listens. Rejects with "start-failed" if it ends before. */
  start(nodeId: number): Promise<ProcessView>;
  /** SIGKILL. Resolves once the process is gone. */
  crash(nodeId: number): Promise<void>;
  /** SIGSTOP. */
  pause(nodeId: number): void;
  /** SIGCONT. */
  resume(nodeId: number): void;
  /** SIGTERM, and SIGKILL when that isn't answered in time. Resolves once the process is gone. */
  stop(nodeId: number): Promise<void>;
  view(nodeId: number): ProcessView;
  views(): readonly ProcessView[];
  /**
   * Ends all processes at once, and the watchdog: no leadership is handed over any more, each
   * node's standard input is closed. Never rejects.
   */
  close(): Promise<void>;
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const watchdog = startWatchdog();
  const nodes = new Map<number, Managed>();
  const graceMs = options.stopGraceMsMax ?? STOP_GRACE_MS_MAX;

  function find(nodeId: number): Managed {
    const managed = nodes.get(nodeId);
    if (managed !== undefined) return managed;
    throw new SupervisorError("unknown-node", unknownNode([...nodes.keys()], nodeId));
  }

  function change(managed: Managed, part: Partial<ProcessView>): void {
    managed.view = { ...managed.view, ...part };
    options.onChange(managed.view);
  }

  function require(nodeId: number, verb: string, allowed: readonly Health[]): NodeProcess {
    const { view, process } = find(nodeId);
    if (allowed.includes(view.health) && process !== null) return process;
    throw new SupervisorError(
      "wrong-health",
      `cannot ${verb} node ${nodeId}: expected it to be ${allowed.join(" or ")}, but it is ` +
        describe(view),
    );
  }

  async function start(nodeId: number): Promise<ProcessView> {
    const managed = find(nodeId);
    if (managed.process !== null) {
      throw new SupervisorError(
        "wrong-health",
        `cannot start node ${nodeId}: expected it to be stopped or crashed, but it is ` +
          describe(managed.view),
      );
    }
    const process = startProcess(managed.spec);
    managed.process = process;
    if (process.pid !== 0) watchdog.watch(process.pid);
    change(managed, {
      health: "starting",
      pid: process.pid,
      cause: "",
      lastWords: "",
    });
    void process.ended.then((end) => {
      if (process.pid !== 0) watchdog.forget(process.pid);
      managed.process = null;
      change(managed, {
        health: end.wanted || end.cause === "exit 0" ? "stopped" : "crashed",
        pid: 0,
        cause: end.cause,
        lastWords: end.lastWords,
      });
    });
    const listening = await process.listening(options.startMsMax ?? START_MS_MAX);
    if (listening === null) {
      const { cause, lastWords } = managed.view;
      throw new SupervisorError(
        "start-failed",
        `cannot start node ${nodeId}: expected it to listen on ${managed.spec.address}, but ` +
          `it ended (${cause})${lastWords === "" ? "" : `: ${lastWords}`}`,
      );
    }
    const incarnation = listening.incarnation ?? managed.view.incarnation + 1;
    const health = managed.view.health === "starting" ? "running" : managed.view.health;
    if (managed.process === process) change(managed, { health, incarnation });
    return managed.view;
  }

  async function stop(nodeId: number): Promise<void> {
    const process = require(nodeId, "stop", ["starting", "running", "paused"]);
    // A stopped process hears no SIGTERM before it goes on.
    if (find(nodeId).view.health === "paused") resume(nodeId);
    await process.stop(graceMs);
  }

  function resume(nodeId: number): void {
    require(nodeId, "resume", ["paused"]).signal("SIGCONT");
    change(find(nodeId), { health: "running" });
  }

  /**
   * Signals may come from anybody. A process that twice in a row is not what we think (once may be
   * a signal of ours on its way) is what it is.
   */
  function look(): void {
    for (const managed of nodes.values()) {
      const { health, pid } = managed.view;
      const stopped = health === "running" || health === "paused" ? isStopped(pid) : null;
      const contradicted = stopped !== null && stopped !== (health === "paused");
      if (contradicted && managed.contradicted) {
        managed.contradicted = false;
        change(managed, { health: stopped ? "paused" : "running" });
      } else managed.contradicted = contradicted;
    }
  }

  const looking = setInterval(look, LOOK_MS);
  looking.unref();

  return {
    add(spec) {
      if (nodes.has(spec.nodeId)) throw new Error(`node ${spec.nodeId} is already known`);
      const { nodeId, address } = spec;
      nodes.set(nodeId, {
        spec,
        process: null,
        contradicted: false,
        view: {
          nodeId,
          address,
          health: "stopped",
          pid: 0,
          incarnation: 0,
          cause: "",
          lastWords: "",
        },
      });
    },
    remove(nodeId) {
      const managed = find(nodeId);
      if (managed.process !== null) {
        throw new SupervisorError(
          "wrong-health",
          `cannot remove node ${nodeId}: expected no process, but it is ${describe(managed.view)}`,
        );
      }
      nodes.delete(nodeId);
    },
    start,
    async crash(nodeId) {
      const process = require(nodeId, "crash", ["starting", "running", "paused"]);
      process.signal("SIGKILL");
      await process.ended;
    },
    pause(nodeId) {
      require(nodeId, "pause", ["running"]).signal("SIGSTOP");
      change(find(nodeId), { health: "paused" });
    },
    resume,
    stop,
    view: (nodeId) => find(nodeId).view,
    views: () => [...nodes.values()].map((managed) => managed.view),
    async close() {
      const ends = [...nodes.values()].map(async ({ process, view }) => {
        await process?.end(view.health === "paused" ? 0 : END_GRACE_MS_MAX);
      });
      await Promise.all(ends);
      clearInterval(looking);
      watchdog.close();
    },
  };
}

/** "running (pid 4242)", "crashed (SIGKILL)", "stopped". */
function describe(view: ProcessView): string {
  if (view.pid !== 0) return `${view.health} (pid ${view.pid})`;
  return view.cause === "" ? view.health : `${view.health} (${view.cause})`;
}

/** The sentence about a node id that nobody has. */
export function unknownNode(known: readonly number[], got: number | bigint): string {
  if (known.length === 0) return `expected a node id, but there are no nodes; got ${got}`;
  const sorted = known.toSorted((a, b) => a - b);
  const first = sorted[0] ?? 0;
  const last = sorted.at(-1) ?? 0;
  const contiguous = last - first + 1 === sorted.length;
  const expected =
    sorted.length === 1
      ? `node id ${first}`
      : contiguous
        ? `a node id from ${first} to ${last}`
        : `one of the node ids ${sorted.join(", ")}`;
  return `expected ${expected}, got ${got}`;
}
