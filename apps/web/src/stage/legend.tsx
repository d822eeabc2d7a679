/** What the colours and shapes say, always in sight where there is room. */
import { latencyWords, type Layout } from "@raftarium/scene";
import { Glyph } from "../shell/glyphs.tsx";
import { useTimeline } from "../state/use.ts";
import { legendRoom } from "./legend-room.ts";

/** Two digits: it need not flicker. */
function rounded(us: number): number {
  if (us <= 0) return 0;
  const magnitude = 10 ** Math.floor(Math.log10(us) - 1);
  return Math.round(us / magnitude) * magnitude;
}

export function Legend({ layout }: { readonly layout: Layout }) {
  const flightUs = useTimeline((state) => rounded(state.flightUs));
  const slow = useTimeline((state) => state.view.speed < 0.995);
  const room = legendRoom(layout);
  if (room === "none") return null;
  return (
    <div className="legend">
      {room === "all" ? (
        <>
          <p>Colour is the term.</p>
          <p>Shape is the message.</p>
        </>
      ) : null}
      <ul>
        <li>
          <Glyph kind="append" entries={2} /> append, with entries
        </li>
        <li>
          <Glyph kind="heartbeat" /> heartbeat
        </li>
        <li>
          <Glyph kind="vote" /> vote
        </li>
        <li>
          <Glyph kind="heartbeat" reply /> hollow: a reply
        </li>
      </ul>
      {flightUs === 0 ? null : (
        <p>
          A message takes {latencyWords(flightUs)}
          {slow ? ", slowed down" : ""}.
        </p>
      )}
    </div>
  );
}
