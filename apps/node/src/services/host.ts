/** What the client-facing services need of the node they stand in. */
import type { NodeApi, NodeId, SessionNotice, StateMachine } from "@raftarium/node";
import type { KvLimits, KvMachine, KvResult } from "@raftarium/kv";

/** The state machine, and the node that runs it with sessions around it: kv, or a user's own. */
export type Hosted =
  | {
      readonly kind: "kv";
      readonly machine: KvMachine;
      readonly node: NodeApi<KvResult | SessionNotice>;
      readonly limits: KvLimits;
    }
  | {
      readonly kind: "custom";
      readonly machine: StateMachine;
      readonly node: NodeApi<Uint8Array | SessionNotice>;
      readonly commandBytesMax: number;
    };

export interface ServiceHost {
  readonly clusterName: string;
  readonly nodeId: NodeId;
  /** How often the node was started; keeps request ids apart. */
  readonly incarnation: number;
  /** How long a request may wait for its outcome now, in wall time (the speed counted in). */
  readonly requestTimeoutMs: () => number;
  /** Somebody watches: only then are requests told of. */
  readonly observing: () => boolean;
  /**
   * Whether this request is told of, or only counted because there are too many. `named`: it has
   * a name already, of its client's or of the node's that forwarded it.
   */
  readonly tellsOfRequest: (named: boolean) => boolean;
  /** Bytes of log and snapshots. */
  readonly diskBytes: () => number;
  /** The link from a peer to this node is cut by a fault: what it forwards does not arrive. */
  readonly isCut?: (source: NodeId) => boolean;
  /** For metrics. `code` as gRPC names it: OK, UNAVAILABLE… */
  readonly requestEnded?: (method: string, code: string, seconds: number) => void;
}
