/** One node, all that is known of it, and what can be done to it now. */
import {
  leaderOf,
  membersWords,
  nodeById,
  nodeWord,
  type ClusterNode,
  type ClusterView,
} from "@raftarium/observer";
import { useState } from "react";
import { report } from "../shell/notices.tsx";
import { hueOf } from "../shell/words.tsx";
import { deedsOf } from "../stage/deeds.ts";
import { ui } from "../state/ui.ts";
import { useCommands, useTimelineItself, useUi } from "../state/use.ts";
import { agoWords, bytesWords, stretchWords, syncWords } from "./format.ts";
import { useCalmView } from "./use-calm-view.ts";

const SIGNAL_NUMBERS: Record<string, string> = {
  SIGKILL: "killed %, signal 9",
  SIGTERM: "ended % by signal 15",
  SIGINT: "ended % by signal 2",
  SIGABRT: "aborted %, signal 6",
  SIGSEGV: "broke down %, signal 11",
};

/** "pid 48217, running 3 min", "killed 14 s ago, signal 9". */
function processWords(node: ClusterNode, nowUs: number): string {
  const sinceUs = node.healthAtUs === 0 ? 0 : nowUs - node.healthAtUs;
  const ago = `${agoWords(sinceUs)} ago`;
  switch (node.health) {
    case "crashed": {
      const known = SIGNAL_NUMBERS[node.cause];
      if (known !== undefined) return known.replace("%", ago);
      return `ended ${ago}${node.cause === "" ? "" : `, ${node.cause}`}`;
    }
    case "stopped":
      return `left ${ago}${node.cause === "" ? "" : `, ${node.cause}`}`;
    case "paused":
      return `pid ${node.pid}, paused ${ago}, signal 19`;
    case "starting":
      return node.pid === 0 ? "starting" : `pid ${node.pid}, starting`;
    case "running":
      return `pid ${node.pid}, up ${agoWords(sinceUs)}`;
  }
}

function isAlive({ health }: ClusterNode): boolean {
  return health !== "crashed" && health !== "stopped";
}

/** Of a node without a process: what was last known. */
function Facts({ node }: { readonly node: ClusterNode }) {
  return (
    <dl className={isAlive(node) ? "facts" : "facts past"}>
      <div>
        <dt>role</dt> <dd>{node.role}</dd>
      </div>
      <div>
        <dt>term</dt>{" "}
        <dd className="term-ink" data-hue={hueOf(node.term)}>
          {node.term}
        </dd>
      </div>
      <div>
        <dt>leader</dt>{" "}
        <dd>
          {node.leaderId === null
            ? "unknown"
            : node.leaderId === node.nodeId
              ? "itself"
              : node.leaderId}
        </dd>
      </div>
      <div>
        <dt>voted for</dt>{" "}
        <dd>
          {node.votedFor === null
            ? "nobody"
            : node.votedFor === node.nodeId
              ? "itself"
              : node.votedFor}
        </dd>
      </div>
      <div className="wide">
        <dt>{node.configurationCommitted ? "members" : "members to be"}</dt>{" "}
        <dd title="Who votes, and who learns; in joint consensus also who voted before">
          {membersWords(node.configuration)}
        </dd>
      </div>
      <div>
        <dt>log</dt> <dd>{stretchWords(node.firstIndex, node.lastIndex)}</dd>
      </div>
      <div>
        <dt>on disk to</dt> <dd>{node.durableIndex}</dd>
      </div>
      <div>
        <dt>committed</dt> <dd>{node.commitIndex}</dd>
      </div>
      <div>
        <dt>applied</dt> <dd>{node.appliedIndex}</dd>
      </div>
      <div>
        <dt>disk</dt> <dd>{bytesWords(node.diskBytes)}</dd>
      </div>
      <div>
        <dt>last fsync</dt> <dd>{syncWords(node.lastSyncUs)}</dd>
      </div>
      <div>
        <dt>at</dt> <dd>{node.address === "" ? "unknown" : node.address}</dd>
      </div>
      <div>
        <dt>incarnation</dt> <dd>{node.incarnation}</dd>
      </div>
    </dl>
  );
}

/** How far the leader knows each of the others to be. */
function Followers({ node }: { readonly node: ClusterNode }) {
  // Where there is room; a person may close it, and open it elsewhere.
  const [roomy] = useState(() => window.matchMedia("(min-height: 801px)").matches);
  if (node.role !== "leader" || !isAlive(node) || node.progress.length === 0) return null;
  return (
    <details className="followers" open={roomy}>
      <summary>Followers</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">node</th>
            <th scope="col">match</th>
            <th scope="col">next</th>
            <th scope="col">in flight</th>
            <th scope="col">state</th>
          </tr>
        </thead>
        <tbody>
          {node.progress
            .toSorted((a, b) => a.peerId - b.peerId)
            .map((progress) => (
              <tr key={progress.peerId}>
                <th scope="row">{progress.peerId}</th>
                <td>{progress.matchIndex}</td>
                <td>{progress.nextIndex}</td>
                <td>{progress.inflightCount}</td>
                <td>{progress.state}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </details>
  );
}

/** What is done to a process most often; the node's menu has everything, with the reasons. */
const FREQUENT = new Set([
  "Crash",
  "Restart",
  "Pause",
  "Resume",
  "Isolate",
  "Join again",
  "Wipe its disk",
]);

/** Only what would act now. */
function Deeds({ view, node }: { readonly view: ClusterView; readonly node: ClusterNode }) {
  const commands = useCommands();
  if (commands.unavailable !== null) return null;
  const deeds = deedsOf(view, node, commands).filter(
    (deed) => deed.reason === null && FREQUENT.has(deed.name),
  );
  return deeds.map((deed) => (
    <button
      key={deed.name}
      type="button"
      className={`button ${deed.name === "Restart" || deed.name === "Resume" ? "primary" : ""}`}
      title={deed.hint}
      onClick={() => {
        // To see what becomes of it, even if another leads by then.
        ui.select(node.nodeId);
        report(deed.run(), deed.afterwards);
      }}
    >
      {deed.name}
    </button>
  ));
}

function lastWordsOf(node: ClusterNode): string {
  // Who is killed says nothing; its last line was about something else.
  if (node.health !== "crashed" || node.cause === "SIGKILL") return "";
  return node.lastWords;
}

export function Inspector() {
  const history = useTimelineItself().history();
  const { view } = useCalmView();
  const selectedId = useUi((state) => state.selectedNodeId);
  const chosen = selectedId === null ? undefined : nodeById(view, selectedId);
  // Without a leader the last one stays in sight.
  const lastId = history.tape().bands.at(-1)?.leaderId ?? 0;
  const node = chosen ?? leaderOf(view) ?? nodeById(view, lastId) ?? view.nodes[0];
  if (node === undefined) return null;
  const lastWords = lastWordsOf(node);
  return (
    <section className="panel inspector" aria-labelledby="inspector-title">
      <header>
        <h2 className="panel-title" id="inspector-title">
          Node {node.nodeId}
          <span className="visually-hidden">: {nodeWord(node)}</span>
        </h2>
        <p>{processWords(node, view.timeUs)}</p>
      </header>
      <Facts node={node} />
      {lastWords === "" ? null : <p className="last-words">Its last words: {lastWords}</p>}
      <div className="deeds">
        <Deeds view={view} node={node} />
        <Followers node={node} />
      </div>
    </section>
  );
}
