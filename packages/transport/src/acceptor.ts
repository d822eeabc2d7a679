/** The other end of the peers' streams: their requests come in, our replies go back. */
import type { ServerDuplexStream, handleBidiStreamingCall } from "@grpc/grpc-js";
import { status as Status } from "@grpc/grpc-js";
import type { Envelope, NodeId } from "@raftarium/node";
import type { Hello } from "@raftarium/protocol";
import { StatusError } from "@raftarium/protocol/grpc";
import { encodeHello, readFrame } from "./exchange.ts";
import type { Identity } from "./handshake.ts";
import { KnownProcesses, helloTo, refusalOf } from "./handshake.ts";
import type { Lane } from "./lane.ts";

type Call = ServerDuplexStream<Buffer, Buffer>;

export interface AcceptorOptions {
  readonly identity: Identity;
  readonly createLane: () => Lane;
  /** A node's stream was taken in: it lives. */
  onAccepted(source: NodeId, incarnation: number): void;
  onEnvelope(envelope: Envelope, bytes: number): void;
  /** `source`: who it said it was; 0 if it didn't. */
  onRefused(source: NodeId, reason: string): void;
}

interface Accepted {
  readonly call: Call;
  readonly hello: Hello;
  readonly lane: Lane;
}

export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #known = new KnownProcesses();
  readonly #accepted = new Map<NodeId, Accepted>();
  readonly #calls = new Set<Call>();
  #closed = false;

  constructor(options: AcceptorOptions) {
    this.#options = options;
  }

  /** The handler of RaftService/Exchange. */
  readonly handle: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    if (this.#closed) {
      call.emit("error", new StatusError(Status.UNAVAILABLE, "this node is shutting down"));
      return;
    }
    this.#calls.add(call);
    let accepted: Accepted | null = null;
    const forget = (): void => {
      this.#calls.delete(call);
      if (accepted !== null) this.#drop(accepted);
    };
    call.on("cancelled", forget);
    call.on("close", forget);
    call.on("error", forget);
    call.on("end", () => {
      forget();
      call.end();
    });
    call.on("data", (bytes: Buffer) => {
      if (!this.#calls.has(call)) return;
      const frame = readFrame(bytes);
      if (typeof frame === "string") {
        this.#refuse(call, accepted?.hello.source ?? 0, Status.INVALID_ARGUMENT, frame);
      } else if (accepted === null) {
        accepted = this.#accept(call, frame.kind === "hello" ? frame.hello : null);
      } else if (frame.kind === "envelope") {
        this.#receive(accepted, frame.envelope, bytes.length);
      }
    });
  };

  /** Lost, as on any network, if the node has no stream to us now. */
  laneTo(nodeId: NodeId): Lane | undefined {
    return this.#accepted.get(nodeId)?.lane;
  }

  close(): void {
    this.#closed = true;
    for (const call of this.#calls) {
      call.emit("error", new StatusError(Status.UNAVAILABLE, "this node is shutting down"));
    }
  }

  #accept(call: Call, hello: Hello | null): Accepted | null {
    if (hello === null) {
      this.#refuse(call, 0, Status.INVALID_ARGUMENT, "expected a hello first, got an envelope");
      return null;
    }
    const earlier = this.#accepted.get(hello.source);
    const reason =
      refusalOf(hello, this.#options.identity) ??
      this.#known.refusalOf(hello, earlier !== undefined);
    if (reason !== null) {
      this.#refuse(call, hello.source, Status.FAILED_PRECONDITION, reason);
      return null;
    }
    if (earlier !== undefined) {
      this.#drop(earlier);
      this.#calls.delete(earlier.call);
      earlier.call.end();
    }
    this.#known.remember(hello);
    const accepted: Accepted = { call, hello, lane: this.#options.createLane() };
    this.#accepted.set(hello.source, accepted);
    call.write(encodeHello(helloTo(hello.source, this.#options.identity)));
    accepted.lane.attach(call);
    this.#options.onAccepted(hello.source, hello.incarnation);
    return accepted;
  }

  #receive({ call, hello }: Accepted, envelope: Envelope, bytes: number): void {
    const { source, incarnation, target } = envelope;
    const { nodeId } = this.#options.identity;
    if (source === hello.source && incarnation === hello.incarnation && target === nodeId) {
      this.#options.onEnvelope(envelope, bytes);
      return;
    }
    const expected = `from node ${hello.source}, incarnation ${hello.incarnation}, to node ${nodeId}`;
    const found = `from node ${source}, incarnation ${incarnation}, to node ${target}`;
    const reason = `expected envelopes ${expected}, got one ${found}`;
    this.#refuse(call, hello.source, Status.INVALID_ARGUMENT, reason);
  }

  #refuse(call: Call, source: NodeId, code: Status, reason: string): void {
    this.#options.onRefused(source, reason);
    // grpc-js's way to end a stream with a status; `forget` runs with it.
    call.emit("error", new StatusError(code, reason));
  }

  #drop(accepted: Accepted): void {
    accepted.lane.close();
    if (this.#accepted.get(accepted.hello.source) === accepted) {
      this.#accepted.delete(accepted.hello.source);
    }
  }
}
