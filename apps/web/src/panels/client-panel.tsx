/** The client's side: ask the cluster for something, and see what comes of it. */
import { leaderOf } from "@raftarium/observer";
import { useRef, useState, type FormEvent } from "react";
import { useCommands, useTimeline } from "../state/use.ts";
import { problemOf, roomFor, type ClientDeed } from "./client-model.ts";
import { Result } from "./client-result.tsx";
import { useRequests, type Choice } from "./use-requests.ts";

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
      <select
        aria-label="How to write"
        title="Sent once: without an answer nobody knows whether it took effect. Exactly once: in a session, sent again until it is answered, and carried out once."
        value={choice.once ? "once" : "plain"}
        onChange={({ target }) => onChange({ ...choice, once: target.value === "once" })}
      >
        <option value="plain">sent once</option>
        <option value="once">exactly once</option>
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
  const [choice, setChoice] = useState<Choice>({
    nodeId: null,
    serializable: false,
    once: false,
  });
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
        {(["get", "delete"] as const).map((deed) => (
          <button
            key={deed}
            type="button"
            className="button"
            aria-disabled={unavailable !== null}
            onClick={() => act(deed)}
          >
            {deed === "get" ? "Get" : "Delete"}
          </button>
        ))}
        <Choices choice={choice} onChange={setChoice} />
      </div>
      <Result requests={requests} problem={problem} onStop={stop} />
    </form>
  );
}
