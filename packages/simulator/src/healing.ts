/** Whom to heal so that progress may be demanded: a random majority, whatever the configuration. */
import type { RaftStatus } from "@raftarium/raft";
import type { Chance } from "./chance.ts";
import type { ConfigurationAt } from "./configuration-chain.ts";
import type { VirtualProcess } from "./process.ts";

/**
 * Processes that have a majority of the committed configuration and of each one that may yet take
 * its place, and, by chance, some more. null: so many disks are lost that there are none.
 */
export function chooseCore(
  processes: readonly VirtualProcess[],
  committed: ConfigurationAt,
  chance: Chance,
): readonly VirtualProcess[] | null {
  const alive = processes.filter(({ retired, rotten }) => !retired && !rotten);
  const newer = alive.map(({ configuration }) => configuration);
  const required = [committed, ...newer.filter(({ index }) => index > committed.index)];
  const electorates = required
    .flatMap(({ configuration }) => [configuration.voters, configuration.votersOutgoing])
    .filter((voters) => voters.length > 0);
  const members = new Set(
    required.flatMap(({ configuration }) => [
      ...configuration.voters,
      ...configuration.votersOutgoing,
      ...configuration.learners,
    ]),
  );
  const core: VirtualProcess[] = [];
  const isEnough = (): boolean =>
    electorates.every((voters) => {
      const count = core.filter(({ nodeId }) => voters.includes(nodeId)).length;
      return count * 2 > voters.length;
    });
  const share = chance.fraction();
  for (const process of chance.shuffled(alive)) {
    if (!members.has(process.nodeId)) continue;
    if (!isEnough() || chance.happens(share)) core.push(process);
  }
  if (!isEnough()) return null;
  return core.toSorted((left, right) => left.nodeId - right.nodeId);
}

/** What elections rest on: who asks whom, and whose log is newer. */
export type Standing = Pick<RaftStatus, "id" | "configuration" | "lastIndex" | "lastTerm">;

/**
 * Could one of these win, with the votes of these alone? Mostly, for a majority of each
 * configuration is among them. But one that counts a learner's vote, and is not committed, may lose
 * by it: the learner's log can be newer than its own, and whoever does not know that it is to vote
 * neither campaigns nor, for a voter of the older configuration, matters.
 */
export function canElect(standings: readonly Standing[]): boolean {
  return standings.some((candidate) => {
    const { id, configuration } = candidate;
    const { voters, votersOutgoing } = configuration;
    if (!voters.includes(id) && !votersOutgoing.includes(id)) return false;
    return [voters, votersOutgoing].every((electorate) => {
      const willing = standings.filter(
        (standing) => electorate.includes(standing.id) && !isNewer(standing, candidate),
      );
      return electorate.length === 0 || willing.length * 2 > electorate.length;
    });
  });
}

/** Paper, section 5.4.1: of two logs the one with the later last term, then the longer one. */
function isNewer(one: Standing, other: Standing): boolean {
  if (one.lastTerm !== other.lastTerm) return one.lastTerm > other.lastTerm;
  return one.lastIndex > other.lastIndex;
}

/** Of these, those whom the latest committed configuration has. */
export function membersAmong(
  core: readonly VirtualProcess[],
  { configuration: { voters, learners } }: ConfigurationAt,
): readonly VirtualProcess[] {
  return core.filter(({ nodeId }) => voters.includes(nodeId) || learners.includes(nodeId));
}
