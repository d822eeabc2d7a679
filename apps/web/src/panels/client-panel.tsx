/** The client's side: ask the cluster for something, and see what comes of it. */
import { leaderOf } from "@raftarium/observer";
import { useRef, useState, type FormEvent } from "react";
import { useCommands, useFrame, useTimeline } from "../state/use.ts";
import {
  askedWords,
  fateOf,
  fateWords,
  particulars,
  problemOf,
  reasonWords,
  remark,
  roomFor,
  valueWords,
  waitMs,
  type Asked,
  type ClientDeed,
} from "./client-model.ts";
import { durationWords } from "./format.ts";
import { useCalmView } from "./use-calm-view.ts";

const REMEMBERED_MAX = 6;

let requestCount = 0;
/** Tells this page's requests from those of another tab. */
const pageName = Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) =>
  byte.toString(16).padStart(2, "0"),
).join("");

function nextRequestId(): string {
  requestCount += 1;
  return `page-${pageName}-${requestCount}`;
}

interface Choice {
  readonly nodeId: number | null;
  readonly serializable: boolean;
}

/** The requests of this page, newest first, and how to make one. */
function useRequests() {
  const commands = useCommands();
  const speed = useTimeline((state) => state.view.speed);
  const [requests, setRequests] = useState<readonly Asked[]>([]);
  const stops = useRef(new Map<string, AbortController>());

  const ask = async (deed: ClientDeed, key: string, value: string, choice: Choice) => {
    const requestId = nextRequestId();
    const stop = new AbortController();
    stops.current.set(requestId, stop);
    const { nodeId, serializable } = choice;
    const asked: Asked = {
      requestId,
      deed,
      key,
      value,
      nodeId,
      serializable,
      startedMs: performance.now(),
      answer: null,
    };
    setRequests((before) =>
      [asked, ...before].filter((other, at) => at < REMEMBERED_MAX || other.answer === null),
    );
    const { signal } = stop;
    const options = { nodeId, serializable, requestId, timeoutMs: waitMs(speed), signal };
    const answer =
      deed === "put"
        ? await commands.put(key, value, options)
        : deed === "get"
          ? await commands.get(key, options)
          : await commands.delete(key, options);
    stops.current.delete(requestId);
    const message = signal.aborted ? "you stopped waiting" : answer.message;
    setRequests((before) =>
      before.map((other) =>
        other === asked ? { ...asked, answer: { ...answer, message } } : other,
      ),
    );
  };
  return {
    requests,
    ask,
    stop: (requestId: string) => stops.current.get(requestId)?.abort(),
    /** Shows it as the newest. */
    raise: (asked: Asked) =>
      setRequests((before) => [asked, ...before.filter((other) => other !== asked)]),
  };
}

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

function Result({
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

interface ChoiceProps {
  readonly choice: Choice;
  readonly onChange: (choice: Choice) => void;
}

function Choices({ choice, onChange }: ChoiceProps) {
  const nodeIds = useTimeline((state) => state.view.nodes.map((node) => node.nodeId).join(","));
  const leaderId = useTimeline((state) => leaderOf(state.view)?.nodeId ?? null);
  return (
    <p className="choices">
      <span>to</span>
      <select
        aria-label="Which node to ask"
        value={choice.nodeId ?? ""}
        onChange={({ target }) =>
          onChange({ ...choice, nodeId: target.value === "" ? null : Number(target.value) })
        }
      >
        <option value="">any node</option>
        {nodeIds === ""
          ? null
          : nodeIds.split(",").map((id) => (
              <option key={id} value={id}>
                {Number(id) === leaderId ? `node ${id}, leader` : `node ${id}`}
              </option>
            ))}
      </select>
      <select
        aria-label="How to read"
        title="Linearizable: nothing older than what was acknowledged. Serializable: what the asked node has, however old."
        value={choice.serializable ? "serializable" : "linearizable"}
        onChange={({ target }) =>
          onChange({ ...choice, serializable: target.value === "serializable" })
        }
      >
        <option value="linearizable">linearizable</option>
        <option value="serializable">serializable</option>
      </select>
    </p>
  );
}

function textOf(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === "string" ? value : "";
}

export function ClientPanel() {
  const { unavailable } = useCommands();
  const { requests, ask, stop, raise } = useRequests();
  const [choice, setChoice] = useState<Choice>({ nodeId: null, serializable: false });
  const [problem, setProblem] = useState<string | null>(null);
  const form = useRef<HTMLFormElement>(null);

  const act = (deed: ClientDeed) => {
    if (form.current === null) return;
    const fields = new FormData(form.current);
    const key = textOf(fields, "key");
    const value = textOf(fields, "value");
    const room = roomFor({ deed, key, ...choice }, requests);
    const found =
      unavailable ?? problemOf(deed, key, value) ?? (room.kind === "refused" ? room.message : null);
    setProblem(found);
    if (found !== null) {
      if (key === "") form.current.querySelector<HTMLInputElement>("[name=key]")?.focus();
      return;
    }
    if (room.kind === "again") return raise(room.asked);
    if (room.kind === "giveUp") stop(room.asked.requestId);
    void ask(deed, key, value, choice);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    act("put");
  };
  return (
    <form
      ref={form}
      className="panel client"
      aria-label="Client"
      noValidate
      autoComplete="off"
      onSubmit={submit}
    >
      <header>
        <h2 className="panel-title">Client</h2>
        <a className="text-button" href="/history.html" target="_blank" rel="noreferrer">
          Check history
        </a>
      </header>
      <div className="fields">
        <label>
          Key
          <input
            className="field"
            name="key"
            defaultValue="fruit"
            spellCheck={false}
            autoCapitalize="none"
            aria-invalid={problem !== null}
            aria-describedby="client-result"
            onInput={() => setProblem(null)}
          />
        </label>
        <label>
          Value
          <input
            className="field"
            name="value"
            defaultValue="pear"
            spellCheck={false}
            autoCapitalize="none"
            onInput={() => setProblem(null)}
          />
        </label>
      </div>
      <div className="deeds">
        <button type="submit" className="button primary" aria-disabled={unavailable !== null}>
          Put
        </button>
        <button
          type="button"
          className="button"
          aria-disabled={unavailable !== null}
          onClick={() => act("get")}
        >
          Get
        </button>
        <button
          type="button"
          className="button"
          aria-disabled={unavailable !== null}
          onClick={() => act("delete")}
        >
          Delete
        </button>
        <Choices choice={choice} onChange={setChoice} />
      </div>
      <Result requests={requests} problem={problem} onStop={stop} />
    </form>
  );
}
