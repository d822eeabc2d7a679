/** Transports over real sockets, in one process. */
import { createServer, type AddressInfo } from "node:net";
import { Client, Server, ServerCredentials, credentials, status } from "@grpc/grpc-js";
import type { ClientDuplexStream, ServerDuplexStream, ServiceError } from "@grpc/grpc-js";
import type { Envelope, Message } from "@raftarium/node";
import type { ObservationBody } from "@raftarium/observer";
import { PROTOCOL_VERSION, encodeFrame } from "@raftarium/protocol";
import type { Hello } from "@raftarium/protocol";
import { viewAsBuffer } from "@raftarium/protocol/grpc";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { PeerTransport, Refusal, TransportOptions } from "./index.ts";
import { LinkGate, SERVER_OPTIONS, createTransport } from "./index.ts";
import { encodeHello, exchange, readFrame } from "./exchange.ts";
import {
  append,
  envelope,
  heartbeat,
  snapshotChunk,
  vote,
  voteResponse,
} from "./testing/envelopes.ts";

/** How long a condition may take to come true before a test gives up. */
const PATIENCE = { timeout: 8000, interval: 5 };

type ServerCall = ServerDuplexStream<Buffer, Buffer>;

interface Peer {
  readonly transport: PeerTransport;
  readonly address: string;
  readonly received: Envelope[];
  readonly refusals: Refusal[];
  readonly states: string[];
  readonly unreachable: number[];
  stop(): Promise<void>;
}

const running = new Set<Peer>();
const cleanups: (() => void)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0)) clean();
  await Promise.all([...running].map((peer) => peer.stop()));
});

async function startPeer(
  nodeId: number,
  overrides: Partial<TransportOptions> & { readonly listen?: string } = {},
): Promise<Peer> {
  const { listen = "127.0.0.1:0", ...options } = overrides;
  const received: Envelope[] = [];
  const refusals: Refusal[] = [];
  const states: string[] = [];
  const unreachable: number[] = [];
  const transport = createTransport({
    cluster: "test",
    nodeId,
    incarnation: 1,
    peers: new Map(),
    onEnvelope: (arrived) => received.push(arrived),
    onUnreachable: (peerId) => unreachable.push(peerId),
    onConnection: (peerId, state) => states.push(`${peerId} ${state}`),
    onRefused: (refusal) => refusals.push(refusal),
    ...options,
  });
  const server = new Server(SERVER_OPTIONS);
  transport.addTo(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(listen, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  transport.start();
  const address = `127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    running.delete(peer);
    transport.close();
    // As when the process is killed: connections are cut, not drained.
    server.forceShutdown();
  };
  const peer: Peer = { transport, address, received, refusals, states, unreachable, stop };
  running.add(peer);
  return peer;
}

/** A port where nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return port;
}

/** Two nodes, 1 and 2, that know each other and are connected both ways. */
async function startPair(
  first: Partial<TransportOptions> = {},
  second: Partial<TransportOptions> = {},
): Promise<[Peer, Peer]> {
  const one = await startPeer(1, first);
  const two = await startPeer(2, { ...second, peers: new Map([[1, one.address]]) });
  one.transport.setPeers(new Map([[2, two.address]]));
  await vi.waitFor(() => {
    expect(one.states.at(-1)).toBe("2 ready");
    expect(two.states.at(-1)).toBe("1 ready");
  }, PATIENCE);
  return [one, two];
}

function send(from: Peer, message: Message, overrides: Partial<Envelope> = {}): Envelope {
  const sent = envelope(message, overrides);
  from.transport.send(sent);
  return sent;
}

/** A client that says what it likes. */
function dialRaw(peer: Peer): {
  readonly call: ClientDuplexStream<Buffer, Buffer>;
  readonly error: Promise<ServiceError>;
  readonly end: Promise<void>;
  readonly frames: unknown[];
} {
  const client = new Client(peer.address, credentials.createInsecure());
  cleanups.push(() => client.close());
  const { path, requestSerialize, responseDeserialize } = exchange;
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  cleanups.push(() => call.cancel());
  const frames: unknown[] = [];
  call.on("data", (bytes: Buffer) => frames.push(readFrame(bytes)));
  const error = new Promise<ServiceError>((resolve) => call.on("error", resolve));
  const end = new Promise<void>((resolve) => call.on("end", resolve));
  return { call, error, end, frames };
}

function hello(overrides: Partial<Hello> = {}): Hello {
  const { version, ...rest } = { version: PROTOCOL_VERSION, ...overrides };
  return { cluster: "test", source: 7, target: 1, incarnation: 1, instance: 42, version, ...rest };
}

describe("delivery", () => {
  test("requests go out, replies come back, in order, as they were sent", async () => {
    const [one, two] = await startPair();
    const requests = [
      send(one, vote()),
      send(one, append([5, 300])),
      send(one, heartbeat()),
      send(one, snapshotChunk(0, 70_000)),
    ];
    await vi.waitFor(() => expect(two.received).toHaveLength(4), PATIENCE);
    expect(two.received).toEqual(requests);
    const reply = send(two, voteResponse(), { source: 2, target: 1 });
    await vi.waitFor(() => expect(one.received).toEqual([reply]), PATIENCE);
    expect(one.transport.stats()).toMatchObject({ sentMessages: 4, lostMessages: 0 });
    expect(two.transport.stats()).toMatchObject({ receivedMessages: 4, sentMessages: 1 });
  });

  test("a node that is not among the peers is answered all the same", async () => {
    const one = await startPeer(1);
    const stranger = await startPeer(9, { peers: new Map([[1, one.address]]) });
    send(stranger, vote(), { source: 9, target: 1 });
    await vi.waitFor(() => expect(one.received).toHaveLength(1), PATIENCE);
    send(one, voteResponse(), { source: 1, target: 9 });
    await vi.waitFor(() => expect(stranger.received).toHaveLength(1), PATIENCE);
  });

  test("a message to nobody is lost, counted, and told after send has returned", async () => {
    const one = await startPeer(1);
    const observed: ObservationBody[] = [];
    one.transport.setObserver((body) => observed.push(body));
    const sent = send(one, vote(), { target: 5 });
    expect(observed).toEqual([]);
    await vi.waitFor(() => expect(observed).toHaveLength(1), PATIENCE);
    expect(observed).toMatchObject([
      { kind: "message-dropped", reason: "loss", id: { sequence: sent.sequence }, target: 5 },
    ]);
    expect(one.transport.stats().lostMessages).toBe(1);
  });

  test("what is sent while the first connection is made waits for it", async () => {
    const two = await startPeer(2);
    const one = await startPeer(1, { peers: new Map([[2, two.address]]) });
    const sent = send(one, vote());
    expect(one.states).toEqual(["2 connecting"]);
    await vi.waitFor(() => expect(two.received).toEqual([sent]), PATIENCE);
  });

  test("observers are told of connections and of what is received", async () => {
    const [one, two] = await startPair();
    const observed: ObservationBody[] = [];
    two.transport.setObserver((body) => observed.push(body));
    expect(observed).toEqual([{ kind: "connection-changed", peerId: 1, state: "ready" }]);
    const sent = send(one, vote(), { sentAtUs: 1234 });
    await vi.waitFor(() => expect(two.received).toHaveLength(1), PATIENCE);
    expect(observed.at(-1)).toMatchObject({
      kind: "message-received",
      id: { source: 1, incarnation: 1, sequence: sent.sequence },
      target: 2,
      sentAtUs: 1234,
      message: { kind: "vote", reply: false },
    });
    two.transport.setObserver(null);
    send(one, vote());
    await vi.waitFor(() => expect(two.received).toHaveLength(2), PATIENCE);
    expect(observed).toHaveLength(2);
  });

  test("what arrives goes through the gate", async () => {
    const nowUs = (): number => performance.now() * 1000;
    const gate = new LinkGate({ nodeId: 2, nowUs, random: Math.random });
    const [one, two] = await startPair({}, { gate });
    send(one, vote());
    await vi.waitFor(() => expect(gate.heldCount).toBe(1), PATIENCE);
    expect(two.received).toEqual([]);
    gate.configure({ speed: 1, frozen: false, links: [] });
    await vi.waitFor(() => expect(two.received).toHaveLength(1), PATIENCE);
  });
});

describe("refusals: FAILED_PRECONDITION, and the core sees nothing", () => {
  test.each<[string, Partial<Hello>, RegExp]>([
    ["wrong cluster", { cluster: "other" }, /expected cluster "test", got "other"/],
    ["wrong node", { target: 3 }, /it looked for node 3, this is node 1/],
    ["wrong version", { version: 99 }, /expected protocol version 1, got 99/],
    ["our own id", { source: 1 }, /this is node 1 itself/],
    ["no id", { source: 0 }, /expected id and incarnation of at least 1/],
  ])("%s", async (_name, wrong, reason) => {
    const one = await startPeer(1);
    const { call, error } = dialRaw(one);
    call.write(encodeHello(hello(wrong)));
    const frame = {
      kind: "envelope",
      envelope: envelope(vote(), { source: 7, target: 1 }),
    } as const;
    call.write(viewAsBuffer(encodeFrame(frame)));
    const { code, details } = await error;
    expect(code).toBe(status.FAILED_PRECONDITION);
    expect(details).toMatch(reason);
    expect(one.received).toEqual([]);
    expect(one.refusals).toMatchObject([{ by: "us", reason: expect.stringMatching(reason) }]);
    expect(one.transport.stats().refusals).toBe(1);
  });

  test("a second process with an id that is in use; but the same process may come again", async () => {
    const one = await startPeer(1);
    const first = dialRaw(one);
    first.call.write(encodeHello(hello()));
    await vi.waitFor(() => expect(first.frames).toHaveLength(1), PATIENCE);

    const second = dialRaw(one);
    second.call.write(encodeHello(hello({ instance: 43 })));
    const { code, details } = await second.error;
    expect(code).toBe(status.FAILED_PRECONDITION);
    expect(details).toMatch(/another process with this id is connected/);

    const again = dialRaw(one);
    again.call.write(encodeHello(hello()));
    await vi.waitFor(() => expect(again.frames).toHaveLength(1), PATIENCE);
    await first.end;
  });

  test("a later start takes over, and the earlier one is refused from then on", async () => {
    const one = await startPeer(1);
    const first = dialRaw(one);
    first.call.write(encodeHello(hello()));
    await vi.waitFor(() => expect(first.frames).toHaveLength(1), PATIENCE);
    const restarted = dialRaw(one);
    restarted.call.write(encodeHello(hello({ instance: 43, incarnation: 2 })));
    await vi.waitFor(() => expect(restarted.frames).toHaveLength(1), PATIENCE);
    const old = dialRaw(one);
    old.call.write(encodeHello(hello()));
    const { code, details } = await old.error;
    expect(code).toBe(status.FAILED_PRECONDITION);
    expect(details).toMatch(/expected incarnation 2 or later, got 1/);
  });

  test("an envelope in another node's name, one before the hello, and bytes that mean nothing", async () => {
    const one = await startPeer(1);
    const frame = (source: number): Buffer =>
      viewAsBuffer(
        encodeFrame({ kind: "envelope", envelope: envelope(vote(), { source, target: 1 }) }),
      );
    const sent: Buffer[][] = [
      [encodeHello(hello()), frame(8), frame(7)],
      [frame(7)],
      [Buffer.from([0xff, 0xff])],
    ];
    for (const bytes of sent) {
      const { call, error } = dialRaw(one);
      for (const part of bytes) call.write(part);
      expect((await error).code).toBe(status.INVALID_ARGUMENT);
    }
    expect(one.received).toEqual([]);
    expect(one.transport.stats().refusals).toBe(3);
  });

  test("both sides are told, and the dialer tells it once however often it tries", async () => {
    const one = await startPeer(1);
    const two = await startPeer(2, { cluster: "other", peers: new Map([[1, one.address]]) });
    await vi.waitFor(() => expect(one.transport.stats().refusals).toBeGreaterThan(1), PATIENCE);
    expect(one.refusals).toHaveLength(1);
    expect(two.refusals).toMatchObject([{ peerId: 1, by: "peer", reason: /expected cluster/ }]);
    expect(two.states).toEqual(["1 connecting", "1 backoff"]);
  });

  test("the dialer refuses whoever answers in another's place", async () => {
    const three = await startPeer(3);
    const one = await startPeer(1, { peers: new Map([[2, three.address]]) });
    await vi.waitFor(() => expect(one.refusals).toHaveLength(1), PATIENCE);
    expect(one.refusals).toMatchObject([
      { peerId: 2, reason: /looked for node 2, this is node 3/ },
    ]);
  });
});

describe("connections", () => {
  test("a peer that restarts on its port is found again, and the break is told", async () => {
    const [one, two] = await startPair();
    await two.stop();
    await vi.waitFor(() => expect(one.states.at(-1)).toBe("2 backoff"), PATIENCE);
    expect(one.unreachable).toEqual([2]);
    send(one, vote());
    expect(one.transport.stats().lostMessages).toBe(1);

    const again = await startPeer(2, {
      incarnation: 2,
      listen: two.address,
      peers: new Map([[1, one.address]]),
    });
    await vi.waitFor(() => expect(one.states.at(-1)).toBe("2 ready"), PATIENCE);
    await vi.waitFor(() => expect(again.states.at(-1)).toBe("1 ready"), PATIENCE);
    const sent = send(one, vote());
    await vi.waitFor(() => expect(again.received).toEqual([sent]), PATIENCE);
    const reply = send(again, voteResponse(), { source: 2, target: 1, incarnation: 2 });
    await vi.waitFor(() => expect(one.received).toEqual([reply]), PATIENCE);
    expect(one.states).toEqual(["2 connecting", "2 ready", "2 backoff", "2 ready"]);
  });

  test("a peer that was away is dialled at once when it comes and dials", async () => {
    const port = await freePort();
    // No timer fires: only the peer itself can bring about another try.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    cleanups.push(() => vi.useRealTimers());
    const one = await startPeer(1, { peers: new Map([[2, `127.0.0.1:${port}`]]) });
    const becomes = async (state: string): Promise<void> => {
      const untilMs = performance.now() + PATIENCE.timeout;
      while (one.states.at(-1) !== state && performance.now() < untilMs) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(one.states.at(-1)).toBe(state);
    };
    await becomes("2 backoff");
    await startPeer(2, {
      listen: `127.0.0.1:${port}`,
      peers: new Map([[1, one.address]]),
    });
    await becomes("2 ready");
  });

  test("a stream to a process that was started anew since is given up, whatever TCP says", async () => {
    const [one] = await startPair();
    const before = one.states.length;
    const again = dialRaw(one);
    again.call.write(encodeHello(hello({ source: 2, incarnation: 1 })));
    await again.error;
    expect(one.states.slice(before)).toEqual([]);
    const anew = dialRaw(one);
    anew.call.write(encodeHello(hello({ source: 2, incarnation: 2 })));
    await vi.waitFor(
      () => expect(one.states.slice(before)).toEqual(["2 backoff", "2 ready"]),
      PATIENCE,
    );
    expect(one.unreachable).toEqual([2]);
  });

  test("peers can be added, moved and removed", async () => {
    const [one, two] = await startPair();
    const moved = await startPeer(2, { incarnation: 2 });
    one.transport.setPeers(new Map([[2, two.address]]));
    expect(one.states).toEqual(["2 connecting", "2 ready"]);
    one.transport.setPeers(new Map([[2, moved.address]]));
    const sent = send(one, vote());
    await vi.waitFor(() => expect(moved.received).toEqual([sent]), PATIENCE);
    expect(two.received).toEqual([]);
    one.transport.setPeers(new Map());
    send(one, vote());
    expect(one.transport.stats().lostMessages).toBe(1);
    expect(one.transport.connections().size).toBe(0);
  });

  test("an address that nobody could dial is refused by name, and harms no other peer", async () => {
    const two = await startPeer(2);
    const one = await startPeer(1, {
      peers: new Map([
        [3, "127.0.0.1:99999"],
        [2, two.address],
      ]),
    });
    await vi.waitFor(() => expect(one.states).toContain("2 ready"), PATIENCE);
    expect(one.transport.connections().get(3)).toBe("backoff");
    expect(one.refusals).toEqual([
      {
        peerId: 3,
        by: "us",
        reason:
          'cannot dial node 3: expected an address such as 127.0.0.1:7101, got "127.0.0.1:99999"',
      },
    ]);
  });

  test("closing ends both directions, and the other side notices", async () => {
    const [one, two] = await startPair();
    one.transport.close();
    await vi.waitFor(() => expect(two.states.at(-1)).toBe("1 backoff"), PATIENCE);
    send(two, voteResponse(), { source: 2, target: 1 });
    expect(two.transport.stats().lostMessages).toBe(1);
  });
});

/** A server that behaves as the test wants, at the other end of a dialer. */
async function startFake(exchangeHandler: (call: ServerCall) => void): Promise<string> {
  const server = new Server({ ...SERVER_OPTIONS, "grpc-node.flow_control_window": 65_535 });
  server.addService({ exchange }, { exchange: exchangeHandler });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  cleanups.push(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

const helloOf2 = (overrides: Partial<Hello> = {}): Buffer =>
  encodeHello(hello({ source: 2, target: 1, instance: 5, ...overrides }));
const envelopeOf = (source: number): Buffer => {
  const sent = envelope(voteResponse(), { source, target: 1 });
  return viewAsBuffer(encodeFrame({ kind: "envelope", envelope: sent }));
};

describe("the dialer refuses", () => {
  test.each<[string, Buffer[], RegExp]>([
    ["another node", [helloOf2({ source: 4 })], /node 4 answered at its address/],
    ["another cluster", [helloOf2({ cluster: "other" })], /expected cluster "test"/],
    ["a reply before the hello", [envelopeOf(2), helloOf2()], /expected a hello first/],
    ["a reply of another node", [helloOf2(), envelopeOf(3)], /expected envelopes of node 2/],
    ["what does not parse", [Buffer.from([0xff, 0xff])], /cannot decode/],
  ])("%s", async (_name, answers, reason) => {
    const address = await startFake((call) => {
      for (const answer of answers) call.write(answer);
    });
    const one = await startPeer(1, { peers: new Map([[2, address]]) });
    await vi.waitFor(() => expect(one.refusals).toHaveLength(1), PATIENCE);
    expect(one.refusals).toMatchObject([{ peerId: 2, by: "us", reason }]);
    expect(one.received).toEqual([]);
    expect(one.states.at(-1)).toBe("2 backoff");
  });
});

describe("backpressure", () => {
  /** A node 2 that accepts, says hello, and then reads nothing until told. */
  async function startDeaf(): Promise<{ address: string; read(): Envelope[] }> {
    const received: Envelope[] = [];
    let resume = (): void => undefined;
    const address = await startFake((call) => {
      call.once("data", () => {
        call.write(helloOf2());
        call.pause();
        call.on("data", (bytes: Buffer) => {
          const frame = readFrame(bytes);
          if (typeof frame === "object" && frame.kind === "envelope") received.push(frame.envelope);
        });
        call.pause();
        resume = () => call.resume();
      });
    });
    return {
      address,
      read() {
        resume();
        return received;
      },
    };
  }

  test("replies that wait for a stream that breaks are lost, and counted", async () => {
    const one = await startPeer(1);
    const { call } = dialRaw(one);
    call.write(encodeHello(hello()));
    call.pause();
    await vi.waitFor(() => {
      send(one, voteResponse(), { source: 1, target: 7 });
      expect(one.transport.stats().sentMessages).toBeGreaterThan(0);
    }, PATIENCE);
    const flood = 20_000;
    const before = one.transport.stats();
    for (let count = 0; count < flood; count += 1) {
      send(one, voteResponse(), { source: 1, target: 7 });
    }
    call.cancel();
    await vi.waitFor(() => {
      const { sentMessages, lostMessages, overflowedMessages } = one.transport.stats();
      const told = sentMessages - before.sentMessages + lostMessages + overflowedMessages;
      expect(told - before.lostMessages).toBe(flood);
      expect(lostMessages).toBeGreaterThan(before.lostMessages);
    }, PATIENCE);
  });

  test("a peer that does not read costs a bounded queue; the newest survive", async () => {
    const deaf = await startDeaf();
    const limits = { messagesMax: 50, bytesMax: 1024 * 1024 };
    const one = await startPeer(1, { limits, peers: new Map([[2, deaf.address]]) });
    await vi.waitFor(() => expect(one.states.at(-1)).toBe("2 ready"), PATIENCE);
    const observed: ObservationBody[] = [];
    one.transport.setObserver((body) => observed.push(body));
    let last = send(one, append([20_000]));
    for (let count = 0; count < 300; count += 1) last = send(one, append([20_000]));
    const stats = one.transport.stats();
    expect(stats.queuedMessages).toBeLessThanOrEqual(50);
    expect(stats.queuedBytes).toBeLessThanOrEqual(limits.bytesMax);
    // What the queue did not take, the stream did: its window, and a little more.
    expect(stats.sentBytes).toBeLessThan(1024 * 1024);
    expect(stats.overflowedMessages + stats.queuedMessages + stats.sentMessages).toBe(301);
    await vi.waitFor(() => {
      const dropped = observed.filter(
        (body) => body.kind === "message-dropped" && body.reason === "overflow",
      );
      expect(dropped).toHaveLength(one.transport.stats().overflowedMessages);
    }, PATIENCE);

    await vi.waitFor(() => expect(deaf.read().at(-1)?.sequence).toBe(last.sequence), PATIENCE);
    await vi.waitFor(() => expect(one.transport.stats().queuedMessages).toBe(0), PATIENCE);
  });

  test("heartbeats overtake the chunks of a snapshot", async () => {
    const deaf = await startDeaf();
    const one = await startPeer(1, { peers: new Map([[2, deaf.address]]) });
    await vi.waitFor(() => expect(one.states.at(-1)).toBe("2 ready"), PATIENCE);
    const chunks = Array.from({ length: 8 }, (_, at) => send(one, snapshotChunk(at, 500_000)));
    const beat = send(one, heartbeat());
    await vi.waitFor(() => expect(deaf.read()).toHaveLength(9), PATIENCE);
    const order = deaf.read().map(({ sequence }) => sequence);
    // One chunk was already being written; the heartbeat waits for no second one.
    expect(order.indexOf(beat.sequence)).toBe(1);
    expect(order.filter((sequence) => sequence !== beat.sequence)).toEqual(
      chunks.map(({ sequence }) => sequence),
    );
  });
});
