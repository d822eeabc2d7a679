/** Who may talk to whom: decided on the first frame of each side, before the core sees anything. */
import type { NodeId } from "@raftarium/node";
import { PROTOCOL_VERSION } from "@raftarium/protocol";
import type { Hello } from "@raftarium/protocol";

export interface Identity {
  readonly cluster: string;
  readonly nodeId: NodeId;
  readonly incarnation: number;
  readonly instance: number;
}

export function helloTo(target: NodeId, identity: Identity): Hello {
  return {
    cluster: identity.cluster,
    source: identity.nodeId,
    target,
    incarnation: identity.incarnation,
    version: PROTOCOL_VERSION,
    instance: identity.instance,
  };
}

/** Why this Hello is refused, in one sentence; null: it is fine. */
export function refusalOf(hello: Hello, identity: Identity): string | null {
  const wrong = (what: string, expected: unknown, found: unknown): string =>
    `cannot talk to node ${hello.source}: expected ${what} ${String(expected)}, got ${String(found)}`;
  if (hello.version !== PROTOCOL_VERSION) {
    return wrong("protocol version", PROTOCOL_VERSION, hello.version);
  }
  if (hello.cluster !== identity.cluster) {
    return wrong("cluster", JSON.stringify(identity.cluster), JSON.stringify(hello.cluster));
  }
  if (hello.target !== identity.nodeId) {
    return `cannot talk to node ${hello.source}: it looked for node ${hello.target}, this is node ${identity.nodeId}; check the addresses of the peers`;
  }
  if (hello.source === identity.nodeId) {
    return `cannot talk to node ${hello.source}: this is node ${identity.nodeId} itself; give each node an id of its own`;
  }
  if (hello.source < 1 || hello.incarnation < 1) {
    return wrong("id and incarnation of at least", 1, `${hello.source} and ${hello.incarnation}`);
  }
  return null;
}

/**
 * Remembers the latest process of each node, so that two of the same id are told from one that
 * was restarted or that reconnects.
 */
export class KnownProcesses {
  readonly #latest = new Map<NodeId, { readonly incarnation: number; readonly instance: number }>();

  /** Why a process may not come in beside one that is `connected`; null: it may. */
  refusalOf(hello: Hello, connected: boolean): string | null {
    const latest = this.#latest.get(hello.source);
    if (latest === undefined || hello.incarnation > latest.incarnation) return null;
    if (hello.incarnation < latest.incarnation) {
      return `cannot talk to node ${hello.source}: expected incarnation ${latest.incarnation} or later, got ${hello.incarnation}; either two nodes have this id, or it lost its data and needs a new id`;
    }
    if (hello.instance !== latest.instance && connected) {
      return `cannot talk to node ${hello.source}: another process with this id is connected; give each node an id of its own`;
    }
    return null;
  }

  remember(hello: Hello): void {
    const { incarnation, instance } = hello;
    this.#latest.set(hello.source, { incarnation, instance });
  }
}
