/** Whom to heal so that progress may be demanded: a random majority, whatever the configuration. */
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

/** Of these, those whom the latest committed configuration has. */
export function membersAmong(
  core: readonly VirtualProcess[],
  { configuration: { voters, learners } }: ConfigurationAt,
): readonly VirtualProcess[] {
  return core.filter(({ nodeId }) => voters.includes(nodeId) || learners.includes(nodeId));
}
