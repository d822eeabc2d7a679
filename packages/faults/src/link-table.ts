/** Which links of a cluster are faulty, and how. */
import type { NodeId } from "@raftarium/raft";
import type { Link, LinkFault } from "./link.ts";
import { CUT, NO_LINK_FAULT, isFaulty, validateLink, validatePartition } from "./link.ts";

export interface LinkTable {
  /** The fault of one direction; NO_LINK_FAULT if there is none. */
  of(source: NodeId, target: NodeId): LinkFault;
  /** Puts this fault in the place of whatever the link had. Throws FaultError. */
  set(link: Link): void;
  /** Puts all of these, and nothing else, in force. Throws FaultError, then nothing is changed. */
  replace(links: readonly Link[]): void;
  /**
   * Cuts every link between different groups, both ways, and un-cuts those inside a group. What
   * else a link inside a group has stays. Nodes in no group are alone. Throws FaultError.
   */
  partition(groups: readonly (readonly NodeId[])[]): void;
  /** Every link is well again. */
  heal(): void;
  /** Drops the faults of links that lead to or from nodes that are no longer there. */
  prune(): void;
  /** The faulty links, by source and then target. */
  links(): Link[];
}

/** @param nodeIds asked anew each time: members come and go. */
export function createLinkTable(nodeIds: () => Iterable<NodeId>): LinkTable {
  const faults = new Map<NodeId, Map<NodeId, LinkFault>>();

  const of = (source: NodeId, target: NodeId): LinkFault =>
    faults.get(source)?.get(target) ?? NO_LINK_FAULT;

  const put = (source: NodeId, target: NodeId, fault: LinkFault): void => {
    const targets = faults.get(source) ?? new Map<NodeId, LinkFault>();
    faults.set(source, targets);
    if (isFaulty(fault)) targets.set(target, fault);
    else targets.delete(target);
  };

  const set = ({ source, target, ...fault }: Link): void => put(source, target, fault);

  return {
    of,
    set(link) {
      validateLink(link, nodeIds());
      set(link);
    },
    replace(links) {
      for (const link of links) validateLink(link, nodeIds());
      faults.clear();
      links.forEach(set);
    },
    partition(groups) {
      validatePartition(groups, nodeIds());
      const ids = [...nodeIds()];
      const groupOf = (nodeId: NodeId): number =>
        groups.findIndex((group) => group.includes(nodeId));
      for (const source of ids) {
        for (const target of ids) {
          if (source === target) continue;
          const together = groupOf(source) >= 0 && groupOf(source) === groupOf(target);
          put(source, target, together ? { ...of(source, target), cut: false } : CUT);
        }
      }
    },
    heal() {
      faults.clear();
    },
    prune() {
      const ids = new Set(nodeIds());
      for (const [source, targets] of faults) {
        if (!ids.has(source)) faults.delete(source);
        for (const target of targets.keys()) {
          if (!ids.has(target)) targets.delete(target);
        }
      }
    },
    links() {
      const links: Link[] = [];
      for (const [source, targets] of faults) {
        for (const [target, fault] of targets) links.push({ source, target, ...fault });
      }
      return links.toSorted((a, b) => a.source - b.source || a.target - b.target);
    },
  };
}
