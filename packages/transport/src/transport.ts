/**
 * Peers over gRPC: one long bidi stream from each node to each of its peers. A node's requests go
 * out on the stream that it dialled; a reply goes back on the stream that its request came on. A
 * message that cannot be sent is lost, as on any network; losses are counted, and observed.
 */
import type { Server, ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import type { Envelope, NodeId, Transport } from "@raftarium/node";
import type { ObservationBody } from "@raftarium/observer";
import { isReply } from "@raftarium/observer";
import { Acceptor } from "./acceptor.ts";
import type { ConnectionState } from "./dialer.ts";
import { Dialer } from "./dialer.ts";
import { exchange } from "./exchange.ts";
import type { Identity } from "./handshake.ts";
import { Lane } from "./lane.ts";
import type { LinkGate } from "./link-gate.ts";
import { flightOf } from "./link-gate.ts";
import type { QueueLimits } from "./outbound-queue.ts";

export interface Refusal {
  readonly peerId: NodeId;
  /** Who said no. */
  readonly by: "us" | "peer";
  readonly reason: string;
}

export interface TransportOptions {
  /** The name of the cluster. Nodes of another are refused. */
  readonly cluster: string;
  readonly nodeId: NodeId;
  /** How often this node was started; from 1 up. */
  readonly incarnation: number;
  /** Who to dial, and where (`host:port`); this node itself may be among them. */
  readonly peers: ReadonlyMap<NodeId, string>;
  /** null: a node without a playground. */
  readonly gate?: LinkGate | null;
  readonly limits?: QueueLimits;
  /** From 0 up to, but not including, 1. */
  readonly random?: () => number;
  /** A message arrived (and the gate let it through). */
  onEnvelope(envelope: Envelope): void;
  /** The stream to a peer broke: probe before streaming again. */
  onUnreachable(nodeId: NodeId): void;
  onConnection?(peerId: NodeId, state: ConnectionState): void;
  /** For the log. The same refusal again and again is told once, and counted each time. */
  onRefused?(refusal: Refusal): void;
}

/** Counters since the start; `queued...` are of now. */
export interface TransportStats {
  readonly sentMessages: number;
  readonly sentBytes: number;
  readonly receivedMessages: number;
  readonly receivedBytes: number;
  /** Dropped because a queue was full, or because a newer heartbeat took the place. */
  readonly overflowedMessages: number;
  /** Dropped because there was no stream. */
  readonly lostMessages: number;
  readonly refusals: number;
  readonly queuedMessages: number;
  readonly queuedBytes: number;
}

/** Some 10,000 entries of 256 bytes: a second or so of a busy leader. */
export const DEFAULT_LIMITS: QueueLimits = { messagesMax: 4096, bytesMax: 32 * 1024 * 1024 };

export class PeerTransport implements Transport {
  readonly #options: TransportOptions;
  readonly #identity: Identity;
  readonly #random: () => number;
  readonly #dialers = new Map<NodeId, { readonly dialer: Dialer; readonly lane: Lane }>();
  readonly #acceptor: Acceptor;
  readonly #lastRefusals = new Map<NodeId, string>();
  readonly #counts = {
    sentMessages: 0,
    sentBytes: 0,
    receivedMessages: 0,
    receivedBytes: 0,
    overflowedMessages: 0,
    lostMessages: 0,
    refusals: 0,
  };
  #observer: ((body: ObservationBody) => void) | null = null;
  #peers: ReadonlyMap<NodeId, string>;
  #started = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#peers = options.peers;
    this.#identity = {
      cluster: options.cluster,
      nodeId: options.nodeId,
      incarnation: options.incarnation,
      instance: Math.floor(this.#random() * 2 ** 48),
    };
    this.#acceptor = new Acceptor({
      identity: this.#identity,
      createLane: () => this.#createLane(),
      onAccepted: (source, incarnation) => this.#dialers.get(source)?.dialer.met(incarnation),
      onEnvelope: (envelope, bytes) => this.#receive(envelope, bytes),
      onRefused: (source, reason) => this.#refused({ peerId: source, by: "us", reason }),
    });
    options.gate?.connect({
      deliver: (envelope) => this.#deliver(envelope),
      observer: () => this.#observer,
    });
  }

  /** For a grpc-js Server (made with SERVER_OPTIONS). */
  get service(): {
    readonly definition: ServiceDefinition;
    readonly implementation: UntypedServiceImplementation;
  } {
    return { definition: { exchange }, implementation: { exchange: this.#acceptor.handle } };
  }

  addTo(server: Server): void {
    server.addService(this.service.definition, this.service.implementation);
  }

  /** Begins to dial. Until then nothing is sent. */
  start(): void {
    this.#started = true;
    this.setPeers(this.#peers);
  }

  /** From now on these are the peers. Streams to others end; those that stay are left alone. */
  setPeers(peers: ReadonlyMap<NodeId, string>): void {
    this.#peers = new Map(peers);
    if (!this.#started) return;
    for (const [nodeId, { dialer }] of this.#dialers) {
      if (peers.get(nodeId) === dialer.address) continue;
      dialer.close();
      this.#dialers.delete(nodeId);
    }
    for (const [nodeId, address] of peers) {
      if (nodeId !== this.#identity.nodeId && !this.#dialers.has(nodeId)) {
        this.#dial(nodeId, address);
      }
    }
  }

  send(envelope: Envelope): void {
    const lane = isReply(envelope.message)
      ? this.#acceptor.laneTo(envelope.target)
      : this.#dialers.get(envelope.target)?.lane;
    if (lane === undefined) this.#dropped(envelope, "loss");
    else lane.send(envelope);
  }

  /** Told how things stand first, then of everything; null ends it. While null nothing is made. */
  setObserver(observer: ((body: ObservationBody) => void) | null): void {
    this.#observer = observer;
    if (observer === null) return;
    for (const [peerId, { dialer }] of this.#dialers) {
      observer({ kind: "connection-changed", peerId, state: dialer.state });
    }
  }

  stats(): TransportStats {
    let queuedMessages = 0;
    let queuedBytes = 0;
    for (const { lane } of this.#dialers.values()) {
      queuedMessages += lane.queuedMessages;
      queuedBytes += lane.queuedBytes;
    }
    return { ...this.#counts, queuedMessages, queuedBytes };
  }

  connections(): ReadonlyMap<NodeId, ConnectionState> {
    return new Map([...this.#dialers].map(([nodeId, { dialer }]) => [nodeId, dialer.state]));
  }

  /** Ends all streams. The server is its owner's to shut down. */
  close(): void {
    this.#started = false;
    for (const { dialer } of this.#dialers.values()) dialer.close();
    this.#dialers.clear();
    this.#acceptor.close();
    this.#options.gate?.close();
  }

  #dial(peerId: NodeId, address: string): void {
    const lane = this.#createLane();
    const dialer = new Dialer({
      identity: this.#identity,
      peerId,
      address,
      lane,
      random: this.#random,
      events: {
        onEnvelope: (envelope, bytes) => this.#receive(envelope, bytes),
        onState: (state) => this.#connection(peerId, state),
        onUnreachable: () => this.#options.onUnreachable(peerId),
        onRefused: (by, reason) => this.#refused({ peerId, by, reason }),
      },
    });
    this.#dialers.set(peerId, { dialer, lane });
    dialer.start();
  }

  #createLane(): Lane {
    return new Lane(this.#options.limits ?? DEFAULT_LIMITS, {
      onSent: (bytes) => {
        this.#counts.sentMessages += 1;
        this.#counts.sentBytes += bytes;
      },
      onDropped: (envelope, reason) => this.#dropped(envelope, reason),
    });
  }

  #receive(envelope: Envelope, bytes: number): void {
    this.#counts.receivedMessages += 1;
    this.#counts.receivedBytes += bytes;
    const { gate } = this.#options;
    if (gate === undefined || gate === null) this.#deliver(envelope);
    else gate.receive(envelope);
  }

  #deliver(envelope: Envelope): void {
    if (this.#observer !== null) {
      this.#observer({ kind: "message-received", ...flightOf(envelope) });
    }
    this.#options.onEnvelope(envelope);
  }

  /** After the current turn: whoever sends is not called back before `send` has returned. */
  #dropped(envelope: Envelope, reason: "overflow" | "loss"): void {
    if (reason === "overflow") this.#counts.overflowedMessages += 1;
    else this.#counts.lostMessages += 1;
    if (this.#observer === null) return;
    queueMicrotask(() =>
      this.#observer?.({ kind: "message-dropped", ...flightOf(envelope), reason }),
    );
  }

  #connection(peerId: NodeId, state: ConnectionState): void {
    if (state === "ready") this.#lastRefusals.delete(peerId);
    this.#observer?.({ kind: "connection-changed", peerId, state });
    this.#options.onConnection?.(peerId, state);
  }

  #refused(refusal: Refusal): void {
    this.#counts.refusals += 1;
    if (this.#lastRefusals.get(refusal.peerId) === refusal.reason) return;
    this.#lastRefusals.set(refusal.peerId, refusal.reason);
    this.#options.onRefused?.(refusal);
  }
}

/** See PeerTransport. Add it to a server, bind that, then `start`. */
export function createTransport(options: TransportOptions): PeerTransport {
  return new PeerTransport(options);
}
