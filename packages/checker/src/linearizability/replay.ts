/** From what was made to happen to a whole order: who looked, and who went unseen, is put in. */
import { isBlind } from "./pending.ts";
import type { Plan } from "./pending.ts";
import type { Happening } from "./trail.ts";

/**
 * @param happenings by event
 * @param eventCount how many events were gone through
 * @return positions in the group's steps
 */
export function replay(
  plan: Plan,
  happenings: readonly Happening[],
  eventCount: number,
): readonly number[] {
  const { moves, events, slotOf, slotCount, unseen } = plan;
  const seen = new Set(happenings.map(({ move }) => move));
  const waiting = new Set<number>();
  const order: number[] = [];
  // As in the search: what nobody will look at any more is as good as anything else like it.
  const looksLeft = new Int32Array(slotOf.length);
  for (const { requires, refuses } of moves) {
    for (const cell of [...requires, ...refuses]) looksLeft[cell]! += 1;
  }
  const valueOf = (cell: number): number => (looksLeft[cell]! > 0 ? cell : unseen[slotOf[cell]!]!);
  // The first cells are the absence of each key.
  const values = Array.from({ length: slotCount }, (_, slot) => valueOf(slot));
  const forget = (cell: number): void => {
    looksLeft[cell]! -= 1;
    if (values[slotOf[cell]!] === cell) values[slotOf[cell]!] = valueOf(cell);
  };
  const holds = (cells: readonly number[]): boolean =>
    cells.every((cell) => values[slotOf[cell]!] === cell);
  const emit = (at: number): void => {
    waiting.delete(at);
    order.push(moves[at]!.at);
  };
  const emitContent = (): void => {
    for (const at of waiting) {
      const { requires, refuses, writes } = moves[at]!;
      const isContent = isBlind(moves[at]!)
        ? values[slotOf[writes[0]!]!] === valueOf(writes[0]!)
        : writes.length === 0 && holds(requires) && !(refuses.length > 0 && holds(refuses));
      if (isContent) emit(at);
    }
  };
  const happen = (at: number): void => {
    const { requires, writes } = moves[at]!;
    for (const cell of writes) {
      const slot = slotOf[cell]!;
      if (requires.some((required) => slotOf[required] === slot)) continue;
      for (const other of waiting) {
        if (isBlind(moves[other]!) && slotOf[moves[other]!.writes[0]!] === slot) emit(other);
      }
    }
    order.push(moves[at]!.at);
    for (const cell of writes) values[slotOf[cell]!] = valueOf(cell);
    emitContent();
  };
  let next = 0;
  for (let event = 0; event < eventCount; event += 1) {
    const at = events[event]! >> 1;
    if ((events[event]! & 1) === 1) {
      for (; happenings[next]?.event === event; next += 1) happen(happenings[next]!.move);
      for (const cell of [...moves[at]!.requires, ...moves[at]!.refuses]) forget(cell);
    } else if (!moves[at]!.optional && !seen.has(at)) {
      waiting.add(at);
      emitContent();
    }
  }
  return order;
}
