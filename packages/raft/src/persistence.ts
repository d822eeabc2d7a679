/**
 * Persist before promise (Figure 2: "updated on stable storage before responding to RPCs"). One
 * write per step; whatever promises something waits behind the last write on which it may rest.
 */
import { fail } from "./assert.ts";
import type { Core } from "./core.ts";
import type { Ticket } from "./types.ts";

/** One `persist` effect for all that is new, if anything is. */
export function writeOut(core: Core): void {
  if (!core.unwritten) return;
  const { term, votedFor, commitIndex, hardStateGiven, hardStateNew } = core;
  const ticket = ++core.lastTicket;
  if (hardStateNew) core.hardStateTicket = ticket;
  // The commit index goes along for free; it never costs a write of its own.
  const goesAlong = hardStateNew || commitIndex > hardStateGiven.commitIndex;
  core.hardStateGiven = { term, votedFor, commitIndex };
  core.effects.push({
    kind: "persist",
    ticket,
    hardState: goesAlong ? core.hardStateGiven : null,
    entries: core.log.takeUnstable(ticket),
    sync: true,
  });
}

/** Term and vote are on disk as they are in memory. */
export function hardStateDurable(core: Core): boolean {
  return !core.hardStateNew && core.hardStateTicket <= core.persistedTicket;
}

/** Storage has completed everything up to `ticket`: what waited for it may go. */
export function persisted(core: Core, ticket: Ticket): void {
  if (ticket <= core.persistedTicket || ticket > core.lastTicket) {
    fail(
      `persisted out of order: expected a ticket from ${core.persistedTicket + 1} ` +
        `to ${core.lastTicket}, got ${ticket}`,
    );
  }
  core.persistedTicket = ticket;
  if (core.log.persisted(ticket) && core.observing) {
    core.observe({ kind: "durable-advanced", durableIndex: core.log.durableIndex });
  }
  release(core);
}

/** Sends the promises that wait for nothing any more. */
export function release(core: Core): void {
  while (core.withheld.length > 0 && core.withheld[0]!.ticket <= core.persistedTicket) {
    const { to, message } = core.withheld.shift()!;
    // A promise of an older term may no longer be true: its entries may be overwritten by now.
    if (message.type === "request-vote-response" || message.term === core.term) {
      core.send(to, message);
    }
  }
}
