/** Chooses who joins, who leaves, and whose disk rots, so that the cluster can go on. */
import type { Chance } from "./chance.ts";
import type { World } from "./choose-fault.ts";
import type { Deed } from "./faults.ts";
import type { FaultKind } from "./swarm.ts";

type MembersKind = Extract<FaultKind, "bit rot" | "add member" | "remove member" | "swap members">;

/** Smaller clusters are not made smaller still. */
const VOTERS_MIN = 3;
const VOTERS_MAX = 9;

/** null: not now. One thing at a time, for a disk that is lost is already one fault. */
export function chooseMembers(kind: MembersKind, world: World, chance: Chance): Deed | null {
  const { fleet, operator } = world;
  const { nextId } = fleet;
  if (operator.busy) return null;
  let newest = fleet.all[0]!.configuration;
  for (const { configuration } of fleet.all) {
    if (configuration.index > newest.index) newest = configuration;
  }
  const { voters, votersOutgoing } = newest.configuration;
  const isWhole = votersOutgoing.length === 0 && voters.every((nodeId) => fleet.isUsable(nodeId));
  if (!isWhole) return null;
  switch (kind) {
    case "bit rot": {
      if (voters.length < VOTERS_MIN || nextId === null) return null;
      const nodeId = chance.pick(voters);
      const place = chance.fraction();
      return { kind, nodeId, place, bit: chance.integer(0, 7), newId: nextId };
    }
    case "add member":
      if (voters.length >= VOTERS_MAX || nextId === null) return null;
      return { kind: "members", joining: [nextId], leaving: [], atOnce: chance.happens(0.2) };
    case "remove member": {
      if (voters.length <= VOTERS_MIN) return null;
      const leaving = [chance.pick(voters)];
      return { kind: "members", joining: [], leaving, atOnce: chance.happens(0.2) };
    }
    case "swap members": {
      if (voters.length < VOTERS_MIN || nextId === null) return null;
      const count = chance.integer(1, 2);
      const leaving = chance.shuffled(voters).slice(0, count);
      const joining = leaving.map((_, at) => nextId + at);
      return { kind: "members", joining, leaving, atOnce: chance.happens(0.7) };
    }
  }
}
