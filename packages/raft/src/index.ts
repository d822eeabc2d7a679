/**
 * The core: everything that one Raft participant decides, and nothing that it does. A step takes
 * one input and returns effects; clock, chance, disk and network belong to the caller. The same
 * inputs from the same start give the same effects, on any engine.
 *
 * ```ts
 * const raft = createRaft({ id: 1, initialConfiguration, recovered, random, … });
 *
 * function step(input: Input) {
 *   for (const effect of raft.step(input)) {
 *     switch (effect.kind) {
 *       case "persist":  // write it, then: step({ kind: "persisted", ticket: effect.ticket })
 *       case "send":     // hand effect.message to effect.to; it may get lost, repeated, overtaken
 *       case "apply":    // to the state machine, then: step({ kind: "applied", index: <the last> })
 *       …
 *     }
 *   }
 * }
 *
 * step({ kind: "tick" });                              // at a steady rate
 * step({ kind: "message", from: 2, message });         // as they come
 * step({ kind: "propose", proposals: [{ id: 7, data }] });
 * ```
 *
 * Which input answers which effect:
 *
 * | effect | what to do | then |
 * |---|---|---|
 * | persist, persist-snapshot-chunk | make durable, in the order given | persisted {ticket} |
 * | send | send; losing it is allowed | |
 * | apply, restore | to the state machine | applied {index} |
 * | read-snapshot-chunk | read that piece of the snapshot | snapshot-chunk {…} |
 * | compact | the log up to there may be deleted | |
 * | proposal-accepted / -refused | tell who proposed; accepted is not committed yet | |
 * | read-ready / -refused | ask the state machine now, before any later effect | |
 * | configuration | who takes part changed: connect and disconnect | |
 * | observe | for people and checkers | |
 *
 * There is no order to get wrong. A vote, an acknowledgement, whatever promises something comes
 * as a `send` only after the `persisted` for all that it rests on. `persisted` may cover several
 * tickets at once, but goes up. Never call `step` from within `step`.
 *
 * A command was committed as the caller's own only if the entry applied at the accepted index has
 * the accepted term. While a node leads it may also be overruled: then another entry is applied
 * there. A snapshot of the state machine: `snapshotMetadata(index)` gives what to store with it;
 * once it is durable, `snapshot-saved` lets the log before it go.
 *
 * Restart: read term, vote, snapshot and entries back from disk, put the state machine where the
 * snapshot has it, and create again. Committed entries after it are applied anew.
 *
 * An AssertionError means that an invariant is broken: end the process. Nothing that a peer or a
 * client can send causes one, short of breaking Raft's own rules.
 */
export { AssertionError } from "./assert.ts";
export { decodeConfiguration, encodeConfiguration } from "./configuration.ts";
export { createRaft } from "./raft.ts";
export type * from "./types.ts";
