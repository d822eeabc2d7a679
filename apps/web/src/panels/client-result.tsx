/** What came of what was asked. */
import { useRef } from "react";
import { useFrame } from "../state/use.ts";
import {
  askedWords,
  fateOf,
  fateWords,
  particulars,
  reasonWords,
  remark,
  valueWords,
  type Asked,
} from "./client-model.ts";
import { durationWords } from "./format.ts";
import { useCalmView } from "./use-calm-view.ts";

/** Counts up without rendering. */
function Elapsed({ sinceMs }: { readonly sinceMs: number }) {
  const text = useRef<HTMLSpanElement>(null);
  useFrame((_, atMs) => {
    if (text.current === null) return;
    const words = `${(Math.max(0, atMs - sinceMs) / 1000).toFixed(1)} s`;
    if (text.current.textContent !== words) text.current.textContent = words;
  });
  return <span ref={text} aria-hidden="true" />;
}

interface OutcomeProps {
  readonly asked: Asked;
  readonly onStop: () => void;
}

/** What is known of one request now. */
function Outcome({ asked, onStop }: OutcomeProps) {
  const { view } = useCalmView();
  const { answer } = asked;
  const request = view.requests.get(asked.requestId);
  if (answer === null) {
    const via = request?.forwardedTo ?? null;
    const whom = asked.nodeId ?? request?.nodeId ?? null;
    const waiting = whom === null ? "waiting" : `waiting for node ${whom}`;
    return (
      <>
        <span className="muted">
          {via === null ? waiting : `${waiting}, which asked node ${via}`}
          {", "}
          <Elapsed sinceMs={asked.startedMs} />
        </span>{" "}
        <button type="button" className="text-button" onClick={onStop}>
          Stop waiting
        </button>
      </>
    );
  }
  if (answer.outcome === "ok") {
    const value = valueWords(asked, answer);
    const said = remark(asked, answer);
    return (
      <>
        {value === null ? null : <span className="gain">{value}</span>}
        {said === "" ? null : <span className="remark">{said}</span>}
        <span className="muted">{particulars(asked, answer, request, view)}</span>
      </>
    );
  }
  const why = reasonWords(answer.message);
  const took = durationWords(answer.tookMs);
  if (answer.outcome === "failed") {
    const changed = asked.deed === "get" ? "" : " Nothing was changed.";
    return <span>{`failed: ${why}.${changed} ${took}`}</span>;
  }
  return (
    <span>
      <b>unknown</b>: {`it may or may not have taken effect (${why}). ${took}`}
      <i className="fate">{fateWords(fateOf(request, view), request)}</i>
    </span>
  );
}

/** What came of the newest request, and of those before it. */
export function Result({
  requests,
  problem,
  onStop,
}: {
  readonly requests: readonly Asked[];
  readonly problem: string | null;
  readonly onStop: (requestId: string) => void;
}) {
  const [newest, ...earlier] = requests;
  return (
    <>
      <section className="result" aria-label="Result" aria-live="polite" id="client-result">
        {problem !== null ? (
          <span className="problem">{problem}</span>
        ) : newest === undefined ? (
          <span className="muted">The answer will stand here.</span>
        ) : (
          <>
            <span className="asked">{askedWords(newest)}</span>
            <Outcome asked={newest} onStop={() => onStop(newest.requestId)} />
          </>
        )}
      </section>
      {earlier.length === 0 ? null : (
        <details className="earlier">
          <summary>Earlier ({earlier.length})</summary>
          <ul>
            {earlier.map((asked) => (
              <li key={asked.requestId}>
                <span className="asked">{askedWords(asked)}</span>
                <Outcome asked={asked} onStop={() => onStop(asked.requestId)} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
