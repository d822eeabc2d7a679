/** Watches what the nodes tell of themselves, and tells at once of a promise that is broken. */
import type { ObservationChecker } from "@raftarium/checker";
import type { Observation } from "@raftarium/observer";
import type { Feed } from "./feed.ts";

/** Enough to see what is wrong; what is broken once is broken in many ways. */
const TOLD_MAX = 100;

export function watch(
  feed: Pick<Feed, "onChange" | "tell">,
  checker: Pick<ObservationChecker, "observe">,
): void {
  const told = new Set<string>();
  feed.onChange((_view, shown) => {
    for (const observation of shown) {
      if (isOurs(observation)) continue;
      for (const { invariant, explanation } of checker.observe(observation)) {
        if (told.size >= TOLD_MAX || told.has(explanation)) continue;
        told.add(explanation);
        feed.tell(0, 1, { kind: "invariant-violated", invariant, explanation });
      }
    }
  });
}

/** A gap that the merge tells is one message that was not seen to leave: of no interest here. */
function isOurs({ sequence, body }: Observation): boolean {
  return sequence === 0 && body.kind === "gap";
}
