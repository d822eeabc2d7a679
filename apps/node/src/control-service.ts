/** NodeControlService: what a playground asks of this node. Served only with --playground. */
import { status as Status } from "@grpc/grpc-js";
import { CodecError, linkFromWire, messageIdFromWire } from "@raftarium/protocol";
import { StepAction, type NodeControlService } from "@raftarium/protocol/control";
import { StatusError, unary, type ServiceImplementation } from "@raftarium/protocol/grpc";
import {
  CLOCK_RATE_MAX,
  CLOCK_RATE_MIN,
  NO_CLOCK_FAULT,
  NO_DISK_FAULT,
  type DiskFault,
} from "@raftarium/faults";
import type { LinkView, MessageId } from "@raftarium/observer";

/** What can be turned from outside. Errors thrown here reach the caller as FAILED_PRECONDITION. */
export interface NodeControls {
  configure(settings: NodeSettings): void;
  /** False: no such message is held. */
  step(action: "deliver" | "drop" | "duplicate", id: MessageId): boolean;
  campaign(): void;
  transferLeadership(nodeId: number): void;
}

export interface NodeSettings {
  readonly speed: number;
  readonly frozen: boolean;
  /** Those that lead to this node. */
  readonly links: readonly LinkView[];
  readonly disk: DiskFault;
  /** How fast the clock runs; 1: right. */
  readonly clockRate: number;
}

const SPEED_MIN = 0.001;

export function controlService(
  controls: NodeControls,
): ServiceImplementation<typeof NodeControlService> {
  return {
    configure: unary(({ speed, frozen, links, disk, clockRate: rate }) => {
      if (!(speed >= SPEED_MIN && speed <= 1)) {
        throw invalid(`cannot set the speed: expected ${SPEED_MIN} to 1, got ${speed}`);
      }
      const clockRate = rate ?? NO_CLOCK_FAULT.rate;
      if (!(clockRate >= CLOCK_RATE_MIN && clockRate <= CLOCK_RATE_MAX)) {
        const expected = `${CLOCK_RATE_MIN} to ${CLOCK_RATE_MAX}`;
        throw invalid(`cannot set the clock's rate: expected ${expected}, got ${clockRate}`);
      }
      const { delayMs, fail, full } = disk ?? NO_DISK_FAULT;
      if (!(delayMs >= 0 && Number.isFinite(delayMs))) {
        throw invalid(`cannot set the disk's delay: expected 0 ms or more, got ${delayMs}`);
      }
      controls.configure({
        speed,
        frozen,
        links: read(() => links.map(linkFromWire)),
        disk: { delayMs, fail, full },
        clockRate,
      });
      return {};
    }),
    step: unary(({ action, messageId }) => {
      if (action === StepAction.FIRE_TIMER) {
        controls.campaign();
        return {};
      }
      const verb = verbOf(action);
      if (messageId === undefined) {
        throw invalid(`cannot ${verb} a message: expected message_id to be set, got nothing`);
      }
      const id = read(() => messageIdFromWire(messageId));
      if (!controls.step(verb, id)) {
        throw new StatusError(
          Status.NOT_FOUND,
          `cannot ${verb} message ${id.source}/${id.incarnation}/${id.sequence}: ` +
            "expected one that waits at this node's gate",
        );
      }
      return {};
    }),
    campaign: unary(() => {
      controls.campaign();
      return {};
    }),
    transferLeadership: unary(({ nodeId }) => {
      controls.transferLeadership(Number(nodeId));
      return {};
    }),
  };
}

function verbOf(action: StepAction): "deliver" | "drop" | "duplicate" {
  switch (action) {
    case StepAction.DELIVER:
      return "deliver";
    case StepAction.DROP:
      return "drop";
    case StepAction.DUPLICATE:
      return "duplicate";
    case StepAction.FIRE_TIMER:
    case StepAction.UNSPECIFIED:
    default:
      throw invalid("cannot step: expected an action (deliver, drop, duplicate, fire timer)");
  }
}

function invalid(text: string): StatusError {
  return new StatusError(Status.INVALID_ARGUMENT, text);
}

function read<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof CodecError) throw invalid(error.message);
    throw error;
  }
}
