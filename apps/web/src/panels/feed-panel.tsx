/** What happened, newest first. */
import { FEED_LINES_MAX, type FeedLine } from "@raftarium/observer";
import { memo, useState } from "react";
import { hueOf } from "../shell/words.tsx";
import { useTimelineItself } from "../state/use.ts";
import { clockWords } from "./format.ts";
import { useCalmView } from "./use-calm-view.ts";

interface LineProps {
  readonly line: FeedLine;
  readonly startUs: number;
}

const Line = memo(function Line({ line, startUs }: LineProps) {
  return (
    <li className={`line ${line.tone}`}>
      <time>{clockWords(line.atUs - startUs)}</time>
      <p>
        {line.words.map((piece, at) =>
          piece.strong ? (
            <b
              // oxlint-disable-next-line react/no-array-index-key -- pieces are known by their place
              key={at}
              className={piece.term === null ? undefined : "term-ink"}
              data-hue={piece.term === null ? undefined : hueOf(piece.term)}
            >
              {piece.text}
            </b>
          ) : (
            // oxlint-disable-next-line react/no-array-index-key
            <span key={at}>{piece.text}</span>
          ),
        )}
        {line.count > 1 ? <span className="times"> × {line.count}</span> : null}
      </p>
    </li>
  );
});

/** More lines than this come on request. */
const LINES_AT_FIRST = 120;

/** Why no line is shown. */
function emptyWords(lines: readonly FeedLine[], untilUs: number): string {
  if (untilUs === Infinity) return "Nothing yet. Put a key, or crash a node.";
  return lines.length < FEED_LINES_MAX
    ? "Nothing had happened yet."
    : `This is longer ago than the newest ${FEED_LINES_MAX} lines tell.`;
}

export function FeedPanel() {
  const history = useTimelineItself().history();
  // With each look at the view the lines are read anew.
  const { view, live } = useCalmView();
  const lines = history.lines();
  const startUs = history.startUs();
  const untilUs = live ? Infinity : view.timeUs;
  const [heartbeats, setHeartbeats] = useState(false);
  const [all, setAll] = useState(false);
  const told = lines.filter(
    (line) => line.atUs <= untilUs && (heartbeats || line.tone !== "heartbeat"),
  );
  const shown = all ? told : told.slice(0, LINES_AT_FIRST);
  return (
    <section className="panel feed" aria-labelledby="feed-title">
      <header>
        <h2 className="panel-title" id="feed-title">
          What happened
        </h2>
        <button
          type="button"
          className="text-button"
          aria-pressed={heartbeats}
          title={heartbeats ? "Hide them" : "Show them"}
          onClick={() => setHeartbeats(!heartbeats)}
        >
          {heartbeats ? "heartbeats shown" : "heartbeats hidden"}
        </button>
      </header>
      {shown.length === 0 ? (
        <p className="empty">{emptyWords(lines, untilUs)}</p>
      ) : (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
        <ol aria-labelledby="feed-title" tabIndex={0}>
          {shown.map((line) => (
            <Line key={line.id} line={line} startUs={startUs} />
          ))}
          {shown.length < told.length ? (
            <li>
              <button type="button" className="text-button" onClick={() => setAll(true)}>
                {told.length - shown.length} earlier lines
              </button>
            </li>
          ) : null}
        </ol>
      )}
    </section>
  );
}
