/** Log replication, the follower's side (paper, section 5.3 and Figure 2, AppendEntries RPC). */
import { fail } from "./assert.ts";
import { decodeConfiguration } from "./configuration.ts";
import { adoptConfigurations, revertConfigurations } from "./configurations.ts";
import type { Core } from "./core.ts";
import { hardStateDurable } from "./persistence.ts";
import type { AppendEntries, AppendEntriesResponse, Entry, LogIndex, NodeId } from "./types.ts";

/** Takes an append of the leader of this term. */
export function takeAppend(core: Core, from: NodeId, message: AppendEntries): void {
  const { prevLogIndex, prevLogTerm, entries } = message;
  if (!isWellFormed(core, message)) return;
  const { log } = core;
  // What is compacted is committed, so it is the same in every leader's log.
  const known = prevLogIndex < log.baseIndex || log.term(prevLogIndex) === prevLogTerm;
  if (!known) {
    const found = log.lastIndexWithTermAtMost(prevLogIndex - 1, prevLogTerm);
    return refuseAppend(core, from, message, Math.max(found, core.commitIndex));
  }
  appendNew(core, entries);
  // Beyond the last entry of this very append the log may be of another leader.
  const lastNewIndex = prevLogIndex + entries.length;
  const commitIndex = Math.min(message.leaderCommit, lastNewIndex);
  if (commitIndex > core.commitIndex) core.commitTo(commitIndex);
  if (entries.length === 0 && hardStateDurable(core)) {
    // A slow disk must not look like a dead node: a heartbeat is answered at once, for what is
    // durable. The answers to the appends themselves follow when the rest is.
    const matchIndex = Math.min(lastNewIndex, log.durableIndex);
    core.send(from, response(core, message, true, { matchIndex }));
  } else {
    core.promise(from, response(core, message, true, { matchIndex: lastNewIndex }));
  }
}

/** `hintIndex`: the last index that could match (fast back-up, end of section 5.3). */
export function refuseAppend(
  core: Core,
  to: NodeId,
  message: AppendEntries,
  hintIndex: LogIndex,
): void {
  const hintTerm = core.log.term(hintIndex) ?? 0;
  const rejectedIndex = message.prevLogIndex;
  core.promise(to, response(core, message, false, { hintIndex, hintTerm, rejectedIndex }));
}

function response(
  core: Core,
  to: AppendEntries,
  success: boolean,
  rest: Partial<AppendEntriesResponse>,
): AppendEntriesResponse {
  return {
    type: "append-entries-response",
    term: core.term,
    success,
    matchIndex: 0,
    hintIndex: 0,
    hintTerm: 0,
    rejectedIndex: 0,
    readRound: to.readRound,
    heartbeat: to.entries.length === 0,
    priority: core.options.priority,
    ...rest,
  };
}

/** Appends what is not there yet; truncates only at a real conflict, never what matches. */
function appendNew(core: Core, entries: readonly Entry[]): void {
  const { log } = core;
  let first = 0;
  while (first < entries.length && entries[first]!.index <= log.lastIndex) {
    const { index, term } = entries[first]!;
    // What is compacted is the same there.
    if ((log.term(index) ?? term) !== term) {
      if (index <= core.commitIndex) {
        fail(
          `cannot replace entry ${index} of term ${log.term(index)}: it is committed ` +
            `(commitIndex ${core.commitIndex}), and the leader of term ${core.term} has term ${term}`,
        );
      }
      log.truncateFrom(index);
      if (core.observing) core.observe({ kind: "log-truncated", fromIndex: index });
      revertConfigurations(core, index);
      break;
    }
    first++;
  }
  if (first === entries.length) return;
  const added = entries.slice(first);
  for (const entry of added) log.append(entry);
  if (core.observing) core.observe({ kind: "log-appended", entries: added });
  adoptConfigurations(core, added);
}

/** What a faulty peer could send must not break the log: such a message is as good as lost. */
function isWellFormed(core: Core, message: AppendEntries): boolean {
  let index = message.prevLogIndex;
  let term = message.prevLogTerm;
  for (const entry of message.entries) {
    index++;
    if (entry.index !== index || entry.term < term || entry.term > core.term) return false;
    term = entry.term;
    if (entry.kind === "configuration" && decodeConfiguration(entry.data) === null) return false;
  }
  return true;
}
