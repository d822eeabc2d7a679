/** For tests: a node that does as it is told, and the services of it on a real port. */
import { Client, Server, ServerCredentials, credentials } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import { createKv, decodeResult, DEFAULT_LIMITS, encodeResult } from "@raftarium/kv";
import type { KvMachine, KvResult } from "@raftarium/kv";
import { withSessions } from "@raftarium/node";
import type {
  ConfigurationChange,
  NodeApi,
  ProposalOutcome,
  ReadOutcome,
  SessionNotice,
} from "@raftarium/node";
import type { ObservationBody } from "@raftarium/observer";
import { OUTCOME_HEADER } from "./failure.ts";
import { addClientServices } from "./index.ts";
import type { ClientServices, ServiceHost } from "./index.ts";

type Result = KvResult | SessionNotice;
type Done = (outcome: ProposalOutcome<Result>) => void;
type Accepted = (index: number, term: number) => void;

export interface ScriptedNode {
  readonly api: NodeApi<Result>;
  readonly machine: KvMachine;
  /** Who leads, as this node knows it. */
  leaderId: number | null;
  term: number;
  /** What happens to proposals: null means that the leader applies them at once. */
  onPropose: ((command: Uint8Array, done: Done, accepted: Accepted) => void) | null;
  onRead: ((done: (outcome: ReadOutcome) => void) => void) | null;
  /** Told of changes of the members, which then count as applied; null: all are refused. */
  onChange: ((change: ConfigurationChange) => void) | null;
  /** Who of voters 1 to 3 and the learners answers this node, should it lead. */
  active: readonly number[];
  learners: readonly number[];
  /** How many entries every other node lacks. */
  behind: number;
  proposalCount: number;
  readonly observed: ObservationBody[];
  readonly addresses: Record<number, string>;
}

export function createScriptedNode(id: number): ScriptedNode {
  const machine = createKv();
  const replicated = withSessions(machine, { encode: encodeResult, decode: decodeResult });
  let index = 0;
  const configuration = (): ReturnType<NodeApi<Result>["configuration"]> => ({
    voters: [1, 2, 3],
    votersOutgoing: [],
    learners: node.learners,
    addresses: node.addresses,
  });
  const node: ScriptedNode = {
    machine,
    leaderId: id,
    term: 1,
    onPropose: null,
    onRead: null,
    onChange: null,
    active: [1, 2, 3],
    learners: [],
    behind: 0,
    proposalCount: 0,
    observed: [],
    addresses: {},
    api: {
      propose(command, done, onAccepted) {
        node.proposalCount += 1;
        setImmediate(() => {
          if (node.onPropose !== null) {
            node.onPropose(command, done, (at, term) => onAccepted?.(at, term));
          } else if (node.leaderId === id) {
            index += 1;
            const { term } = node;
            onAccepted?.(index, term);
            const { result } = replicated.apply(command, index);
            done({ kind: "applied", index, term, result });
          } else done({ kind: "refused", reason: "not-leader", leaderId: node.leaderId });
        });
      },
      read(done) {
        setImmediate(() => {
          if (node.onRead !== null) node.onRead(done);
          else if (node.leaderId !== null) done({ kind: "ready", index });
          else done({ kind: "refused", reason: "no-leader", leaderId: null });
        });
      },
      changeConfiguration(change, done) {
        if (node.onChange === null) {
          done({ kind: "refused", reason: "invalid", leaderId: node.leaderId });
          return;
        }
        node.onChange(change);
        done({ kind: "applied", index, term: node.term, result: null });
      },
      transferLeadership(to) {
        node.leaderId = to;
      },
      configuration,
      status: () => ({
        id,
        role: node.leaderId === id ? "leader" : "follower",
        term: node.term,
        votedFor: null,
        leaderId: node.leaderId,
        commitIndex: index,
        appliedIndex: index,
        durableIndex: index,
        lastIndex: index,
        lastTerm: node.term,
        firstIndex: 1,
        snapshotIndex: 0,
        snapshotTerm: 0,
        electionElapsedTicks: 0,
        electionTimeoutTicks: 10,
        votesGranted: [],
        votesRejected: [],
        configuration: configuration(),
        configurationIndex: 0,
        transferTargetId: null,
        progress: [1, 2, 3, ...node.learners]
          .filter((nodeId) => nodeId !== id)
          .map((nodeId) => ({
            nodeId,
            state: "replicate",
            matchIndex: index - node.behind,
            nextIndex: index + 1,
            inflightCount: 0,
            recentlyActive: node.active.includes(nodeId),
            priority: 0,
          })),
      }),
      observe: (body) => void node.observed.push(body),
      view: () => {
        throw new Error("not scripted");
      },
      tick() {},
      receive() {},
      unreachable() {},
      campaign() {},
      setObserver() {},
      gather() {},
      tellGathered: () => 0,
      setTickUs() {},
      stop() {},
    },
  };
  return node;
}

export interface ServedNode extends ScriptedNode, AsyncDisposable {
  readonly address: string;
  readonly client: Client;
  readonly services: ClientServices;
}

export async function serveScriptedNode(
  id: number,
  overrides: Partial<ServiceHost> = {},
): Promise<ServedNode> {
  const node = createScriptedNode(id);
  const server = new Server();
  const services = addClientServices(
    server,
    {
      clusterName: "test",
      nodeId: id,
      incarnation: 1,
      requestTimeoutMs: () => 5000,
      observing: () => true,
      tellsOfRequest: () => true,
      diskBytes: () => 12_345,
      ...overrides,
    },
    { kind: "kv", machine: node.machine, node: node.api, limits: DEFAULT_LIMITS },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const address = `127.0.0.1:${port}`;
  node.addresses[id] = address;
  const client = new Client(address, credentials.createInsecure());
  return Object.assign(node, {
    address,
    client,
    services,
    async [Symbol.asyncDispose]() {
      services.close();
      client.close();
      await new Promise<void>((resolve) => {
        server.tryShutdown(() => resolve());
        setImmediate(() => server.forceShutdown());
      });
    },
  });
}

/** Code, details and outcome header of a call that must fail. @throws Error if it does not. */
export async function errorOf(
  call: Promise<unknown>,
): Promise<[number, string, string | undefined]> {
  const error = await call.then(
    () => {
      throw new Error("expected the call to fail");
    },
    (reason: unknown) => reason as ServiceError,
  );
  return [error.code, error.details, error.metadata.get(OUTCOME_HEADER)[0]?.toString()];
}
