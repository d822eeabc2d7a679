/** Speed, freeze and faults of this node: what a playground turns, or real time without one. */
import { NO_CLOCK_FAULT, NO_DISK_FAULT, type DiskFault } from "@raftarium/faults";
import type { LinkView, MessageId } from "@raftarium/observer";
import type { NodeApi } from "@raftarium/node";
import type { LinkGate } from "@raftarium/transport";
import type { NodeConfig } from "./config.ts";
import type { NodeControls, NodeSettings } from "./control-service.ts";
import type { Log } from "./log.ts";
import type { ObservationHub } from "./observation-hub.ts";
import { StallGuard, TickSource } from "./tick-source.ts";

/** Standing still for this long, the process was stopped (or as good as). */
const STALL_MS_MIN = 500;
/** Without word from the playground after a stall, the last settings hold again. */
const STALL_GRACE_MS = 2000;

export interface ControlsOptions {
  readonly config: NodeConfig;
  readonly node: Pick<NodeApi<never>, "tick" | "setTickUs" | "campaign" | "transferLeadership">;
  /** null: no playground. */
  readonly gate: LinkGate | null;
  /** null: no playground. */
  readonly disk: { set(fault: DiskFault): void } | null;
  readonly hub: Pick<ObservationHub, "refresh">;
  readonly log: Log;
}

export const REAL_TIME: NodeSettings = {
  speed: 1,
  frozen: false,
  links: [],
  disk: NO_DISK_FAULT,
  clockRate: NO_CLOCK_FAULT.rate,
};

export class Controls implements NodeControls {
  readonly #options: ControlsOptions;
  readonly #ticks: TickSource;
  readonly #guard: StallGuard | null;
  #settings: NodeSettings = { ...REAL_TIME, frozen: true };
  #stalled: NodeJS.Timeout | null = null;

  constructor(options: ControlsOptions) {
    this.#options = options;
    this.#ticks = new TickSource({
      tickMs: options.config.timing.tickMs,
      onTick: () => options.node.tick(),
      onTickUs: (tickUs) => options.node.setTickUs(tickUs),
    });
    this.#guard =
      options.gate === null ? null : new StallGuard(STALL_MS_MIN, (ms) => this.#stall(ms));
  }

  get speed(): number {
    return this.#settings.speed;
  }

  /** Nothing of any kind gets through from there. */
  isCut(source: number): boolean {
    return this.#settings.links.some(
      (link: LinkView) => link.source === source && link.cut && link.messageKinds.length === 0,
    );
  }

  configure(settings: NodeSettings): void {
    if (this.#stalled !== null) clearTimeout(this.#stalled);
    this.#stalled = null;
    this.#settings = settings;
    this.#apply(settings);
  }

  step(action: "deliver" | "drop" | "duplicate", id: MessageId): boolean {
    return this.#options.gate?.step(id, action) ?? false;
  }

  campaign(): void {
    this.#options.node.campaign();
  }

  transferLeadership(nodeId: number): void {
    this.#options.node.transferLeadership(nodeId);
  }

  /** To be called before a message is let in: it may be read before any timer fires. */
  checkStall(): void {
    this.#guard?.check();
  }

  stop(): void {
    this.#ticks.stop();
    this.#guard?.stop();
    if (this.#stalled !== null) clearTimeout(this.#stalled);
  }

  #apply(settings: NodeSettings): void {
    this.#options.gate?.configure(settings);
    this.#options.disk?.set(settings.disk);
    this.#ticks.set(settings.speed * settings.clockRate, settings.frozen);
  }

  /**
   * The process stood still: speed and links may have changed meanwhile. Everything is held until
   * the playground, which sees the fresh view, has told them (design 4.7).
   */
  #stall(stoodMs: number): void {
    if (this.#stalled !== null || this.#settings.frozen) return;
    this.#options.log.info({ stoodMs: Math.round(stoodMs) }, "stood still; waiting for settings");
    this.#apply({ ...this.#settings, frozen: true });
    this.#stalled = setTimeout(() => this.configure(this.#settings), STALL_GRACE_MS);
    this.#options.hub.refresh();
  }
}
