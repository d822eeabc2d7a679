/** What a person must know of what is drawn: which hand is busy, and what could not be drawn. */
import { useEffect, useState } from "react";
import { useTimeline, useTimelineItself, useUi } from "../state/use.ts";

/** How long a count that has stopped growing is still worth a word, milliseconds. */
const RECENT_MS = 5000;

/** Whether a count has grown lately. What the past is found to have counted is no growth. */
function useGrowing(count: number): boolean {
  const history = useTimelineItself().history();
  const live = useTimeline((state) => state.live);
  const [grown, setGrown] = useState({ count, history, live, recent: false });
  if (grown.count !== count || grown.live !== live || grown.history !== history) {
    const goesOn = grown.history === history && grown.live && live;
    setGrown({ count, history, live, recent: goesOn && count > grown.count });
  }
  useEffect(() => {
    if (!grown.recent) return;
    const timer = setTimeout(() => setGrown({ ...grown, recent: false }), RECENT_MS);
    return () => clearTimeout(timer);
  }, [grown]);
  return grown.recent;
}

/** "1 message was", "12,345 messages were": in groups of three, whatever the browser's language. */
function counted(count: number, noun: string): string {
  const number = String(count).replaceAll(/(?<=\d)(?=(?:\d{3})+$)/g, ",");
  return count === 1 ? `1 ${noun} was` : `${number} ${noun}s were`;
}

export function Notes() {
  const hammer = useUi((state) => state.hammer);
  const omitted = useTimeline((state) => state.view.omittedCount);
  const omittedRequests = useTimeline((state) => state.view.omittedRequestCount);
  const lost = useTimeline((state) => state.view.lostCount);
  const omitting = useGrowing(omitted);
  const omittingRequests = useGrowing(omittedRequests);
  const losing = useGrowing(lost);
  return (
    <div className="stage-notes">
      {hammer ? (
        <p>The hammer: click a node to crash it, once more to restart it. Esc lays it down.</p>
      ) : null}
      {omitting ? <p>{counted(omitted, "message")} too quick to draw, and only counted.</p> : null}
      {omittingRequests ? (
        <p>{counted(omittedRequests, "request")} too quick to list, and only counted.</p>
      ) : null}
      {losing ? <p>{counted(lost, "observation")} lost on the way here.</p> : null}
    </div>
  );
}
