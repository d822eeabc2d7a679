/** status, member: how the nodes are, and who takes part. */
import { setTimeout } from "node:timers/promises";
import type { MessageShape } from "@bufbuild/protobuf";
import type { Outcome, RaftClient, StatusOfEndpoint } from "@raftarium/client";
import type { MemberListResponseSchema } from "@raftarium/protocol/etcd";
import { EXIT } from "./exit-code.ts";
import type { ExitCode } from "./exit-code.ts";
import type { Session } from "./session.ts";
import { table } from "./text.ts";

const WATCH_MS = 1000;
const CLEAR_SCREEN = "\u001B[2J\u001B[H";

/** Fails if no node answers. */
export function status(session: Session, watch: boolean): Promise<ExitCode> {
  return session.withNodes(async (client) => {
    const { io } = session;
    for (;;) {
      const statuses = await client.status({
        timeoutMs: Math.min(session.options.timeout.callMs, 2000),
      });
      // Interrupted while it asked: what it found is of no interest any more.
      if (watch && io.signal.aborted) return EXIT.ok;
      if (watch && io.terminal && session.options.output === "text") io.write(CLEAR_SCREEN);
      if (session.options.output === "json") session.json(statuses.map(statusJson));
      else session.line(statusTable(statuses));
      const answered = statuses.some(({ outcome }) => outcome.outcome === "ok");
      if (!watch) return answered ? EXIT.ok : EXIT.failed;
      // Rejects when it is aborted, which the next line sees.
      await setTimeout(WATCH_MS, null, { signal: io.signal }).catch(() => null);
      if (io.signal.aborted) return EXIT.ok;
    }
  });
}

function statusJson({ endpoint, outcome }: StatusOfEndpoint): object {
  if (outcome.outcome !== "ok") return { endpoint, error: outcome.message };
  const { header, leader, raftIndex, raftTerm, raftAppliedIndex, dbSize, isLearner } =
    outcome.value;
  return {
    endpoint,
    nodeId: Number(header?.memberId ?? 0n),
    leader: leader !== 0n && leader === header?.memberId,
    leaderId: Number(leader),
    learner: isLearner,
    term: Number(raftTerm),
    commitIndex: Number(raftIndex),
    appliedIndex: Number(raftAppliedIndex),
    revision: Number(header?.revision ?? 0n),
    diskBytes: Number(dbSize),
  };
}

function statusTable(statuses: readonly StatusOfEndpoint[]): string {
  const header = ["ENDPOINT", "NODE", "ROLE", "TERM", "COMMITTED", "APPLIED", "REVISION", "DISK"];
  return table(
    header,
    statuses.map(({ endpoint, outcome }) => {
      if (outcome.outcome !== "ok") return [endpoint, "-", outcome.message];
      const { header: about, leader, isLearner, ...value } = outcome.value;
      const leads = leader !== 0n && leader === about?.memberId;
      return [
        endpoint,
        String(about?.memberId ?? 0n),
        leads ? "leader" : isLearner ? "learner" : leader === 0n ? "no leader" : "follower",
        String(value.raftTerm),
        String(value.raftIndex),
        String(value.raftAppliedIndex),
        String(about?.revision ?? 0n),
        sizeText(Number(value.dbSize)),
      ];
    }),
  );
}

function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

type MembersResponse = Pick<MessageShape<typeof MemberListResponseSchema>, "members">;

function members(
  session: Session,
  act: (client: RaftClient) => Promise<Outcome<MembersResponse>>,
): Promise<ExitCode> {
  return session.withNodes(async (client) =>
    session.report(
      await act(client),
      (response) =>
        table(
          ["NODE", "NAME", "ADDRESS", "KIND"],
          response.members.map(({ ID, name, peerURLs, isLearner }) => [
            String(ID),
            name,
            peerURLs.join(" "),
            isLearner ? "learner" : "voter",
          ]),
        ),
      (response) => ({
        members: response.members.map(({ ID, name, peerURLs, isLearner }) => ({
          nodeId: Number(ID),
          name,
          peerURLs,
          learner: isLearner,
        })),
      }),
    ),
  );
}

export function memberList(session: Session): Promise<ExitCode> {
  return members(session, (client) => client.memberList({ linearizable: true }));
}

/** The node's id, as its configuration has it; never used before. */
const MEMBER_ID_HEADER = "raftarium-member-id";

export interface MemberAddOptions {
  readonly learner?: boolean;
  /** Without it the cluster chooses one. */
  readonly id?: number;
}

/** `address` is `host:port`, where the new node listens. */
export function memberAdd(
  session: Session,
  address: string,
  { learner = false, id }: MemberAddOptions,
): Promise<ExitCode> {
  const headers: Record<string, string> = id === undefined ? {} : { [MEMBER_ID_HEADER]: `${id}` };
  const peerURLs = [address.startsWith("http://") ? address : `http://${address}`];
  return members(session, (client) =>
    client.memberAdd({ peerURLs, isLearner: learner }, { headers }),
  );
}

export function memberPromote(session: Session, nodeId: number): Promise<ExitCode> {
  return members(session, (client) => client.memberPromote({ ID: BigInt(nodeId) }));
}

/** One change, whatever the difference; then who takes part. */
export function memberVoters(session: Session, nodeIds: readonly number[]): Promise<ExitCode> {
  return members(session, async (client) => {
    const changed = await client.setVoters({ nodeIds: nodeIds.map(BigInt) });
    return changed.outcome === "ok" ? client.memberList({ linearizable: true }) : changed;
  });
}

/** The leader hands over; every endpoint is asked whether it is the one. */
export function moveLeader(session: Session, nodeId: number): Promise<ExitCode> {
  return session.withNodes(async (client) =>
    session.report(
      await client.moveLeader(BigInt(nodeId)),
      () => `Node ${nodeId} leads.`,
      () => ({ leaderId: nodeId }),
    ),
  );
}

export function memberRemove(session: Session, nodeId: number): Promise<ExitCode> {
  return members(session, (client) => client.memberRemove({ ID: BigInt(nodeId) }));
}
