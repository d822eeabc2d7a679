/**
 * Which configuration is in force: always the latest in the log, committed or not (paper,
 * section 6; thesis 4.1). So it changes on append, goes back on truncation, and comes from the
 * snapshot where the log does not reach.
 */
import { assert } from "./assert.ts";
import { decodeConfiguration } from "./configuration.ts";
import type { Core } from "./core.ts";
import { Progress } from "./progress.ts";
import { isVoter, membersOf } from "./quorum.ts";
import type { ConfigurationAt, Entry, LogIndex, RaftOptions } from "./types.ts";
import type { SnapshotMetadata } from "./types.ts";

/** What storage found, oldest first. */
export function recoveredConfigurations(options: RaftOptions): ConfigurationAt[] {
  const { snapshot, entries } = options.recovered;
  const initial = { configuration: options.initialConfiguration, configurationIndex: 0 };
  return [snapshot ?? initial, ...configurationsIn(entries)];
}

/** Entries were appended: the last configuration among them is in force now. */
export function adoptConfigurations(core: Core, entries: readonly Entry[]): void {
  const added = configurationsIn(entries);
  if (added.length === 0) return;
  core.configurations.push(...added);
  changed(core);
}

/** The log was truncated from `fromIndex` on: what was in force before is so again. */
export function revertConfigurations(core: Core, fromIndex: LogIndex): void {
  const kept = core.configurations.filter(({ configurationIndex: index }) => index < fromIndex);
  if (kept.length === core.configurations.length) return;
  core.configurations = kept;
  changed(core);
}

/** A snapshot took the place of the log: its configuration, whatever the log had said. */
export function replaceConfigurations(core: Core, snapshot: SnapshotMetadata): void {
  core.configurations = [snapshot];
  changed(core);
}

/** The configuration that was in force at `index`. */
export function configurationAt(core: Core, index: LogIndex): ConfigurationAt {
  const found = core.configurations.findLast(
    ({ configurationIndex }) => configurationIndex <= index,
  );
  assert(found !== undefined, "the configuration of a compacted index was asked for");
  return found;
}

/** The log up to `index` is in a snapshot: older configurations matter no more. */
export function forgetConfigurations(core: Core, index: LogIndex): void {
  const oldest = configurationAt(core, index);
  core.configurations = core.configurations.slice(core.configurations.indexOf(oldest));
}

/**
 * May this node campaign? As a voter; and while the configuration that removes it is not known to
 * be committed, as a voter of the one before: it may be the only one that can win (thesis 4.2.2).
 */
export function isPromotable(core: Core): boolean {
  if (core.restoring !== null) return false;
  const { configuration } = configurationAt(core, core.commitIndex);
  return isVoter(core.configuration, core.id) || isVoter(configuration, core.id);
}

/**
 * Gives a leader one Progress for each peer: members of the configuration in force, and until
 * that is committed those of the one before, so that whom it removes gets to know.
 */
export function refreshPeers(core: Core): void {
  if (core.role !== "leader") return;
  const { configuration } = configurationAt(core, core.commitIndex);
  const wanted = new Set([...membersOf(core.configuration), ...membersOf(configuration)]);
  wanted.delete(core.id);
  for (const nodeId of core.peers.keys()) {
    if (!wanted.has(nodeId)) core.peers.delete(nodeId);
  }
  for (const nodeId of wanted) {
    if (core.peers.has(nodeId)) continue;
    core.peers.set(nodeId, new Progress(core.log.lastIndex + 1, core.now, core.options));
  }
}

function changed(core: Core): void {
  const { configuration, configurationIndex: index } = core;
  core.configurationIndexTold = Math.min(core.configurationIndexTold, index - 1);
  refreshPeers(core);
  core.effects.push({ kind: "configuration", configuration, index });
  if (core.observing) observeConfiguration(core, false);
  if ((core.role === "follower" || core.role === "learner") && core.role !== core.restingRole) {
    core.role = core.restingRole;
    if (core.observing) {
      core.observeRole(core.role === "follower" ? "became a voter" : "is not a voter any more");
    }
  }
}

export function observeConfiguration(core: Core, committed: boolean): void {
  const { configuration, configurationIndex: index } = core;
  core.observe({ kind: "configuration-changed", configuration, index, committed });
}

function configurationsIn(entries: readonly Entry[]): ConfigurationAt[] {
  const found: ConfigurationAt[] = [];
  for (const { kind, index, data } of entries) {
    if (kind !== "configuration") continue;
    const configuration = decodeConfiguration(data);
    assert(configuration !== null, "a malformed configuration in the log");
    found.push({ configuration, configurationIndex: index });
  }
  return found;
}
