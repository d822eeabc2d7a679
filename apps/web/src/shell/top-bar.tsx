/** The bar: what this is, how the cluster is in one sentence, and what concerns all of it. */
import { headlineOf, leaderOf, sentenceOf, type ClusterView } from "@raftarium/observer";
import { useEffect } from "react";
import { clockWords } from "../panels/format.ts";
import { useCalmView } from "../panels/use-calm-view.ts";
import { ui } from "../state/ui.ts";
import { useCommands, useTimeline, useTimelineItself, useUi } from "../state/use.ts";
import { report } from "./notices.tsx";
import { Speed } from "./speed.tsx";
import { WordsLine } from "./words.tsx";

/** What the stage has room for. */
const NODES_MAX = 9;

function headlineText(view: ClusterView): string {
  return headlineOf(view)
    .map((piece) => piece.text)
    .join("");
}

/** "The past, at 01:24.8."; empty: what is shown happens now, or never did. */
function usePastWords(): string {
  const startUs = useTimelineItself().history().startUs();
  return useTimeline(({ soughtUs, connection }) =>
    soughtUs === null || connection.state === "recorded"
      ? ""
      : `The past, at ${clockWords(soughtUs - startUs)}.`,
  );
}

/** The numbers in it may be calm; that somebody else leads is news. */
function Sentence() {
  const timeline = useTimelineItself();
  const lost = useTimeline((state) =>
    state.connection.state === "lost" ? state.connection.detail : "",
  );
  const broken = useTimeline((state) => state.view.violations.length > 0);
  const headline = useTimeline((state) => headlineText(state.view));
  const { view } = useCalmView();
  const words = sentenceOf(headlineText(view) === headline ? view : timeline.getState().view);
  const past = usePastWords();
  return (
    <>
      <p className={broken ? "sentence broken" : "sentence"}>
        {past === "" ? null : <i className="past-mark">{past} </i>}
        {lost === "" ? <WordsLine words={words} /> : lost}
      </p>
      <p className="visually-hidden" role="status">
        {past === "" ? "" : "The past. "}
        {lost === "" ? headline : lost}
      </p>
    </>
  );
}

/** Any link with a fault in it. */
function hasFaults(view: ClusterView): boolean {
  for (const link of view.links.values()) {
    if (link.cut || link.delayMs > 0 || link.jitterMs > 0) return true;
    if (link.dropRate > 0 || link.duplicateRate > 0) return true;
  }
  return false;
}

interface ActionProps {
  readonly label: string;
  readonly title: string;
  /** Why it would do nothing now; null: it would. */
  readonly reason: string | null;
  readonly onClick: () => void;
}

/** What cannot act stays focusable and says why. */
function Action({ label, title, reason, onClick }: ActionProps) {
  return (
    <button
      type="button"
      className="button"
      aria-disabled={reason !== null}
      title={reason ?? title}
      onClick={() => (reason === null ? onClick() : ui.notice(reason))}
    >
      {label}
    </button>
  );
}

function Freeze() {
  const commands = useCommands();
  const frozen = useTimeline((state) => state.view.frozen);
  return (
    <Action
      label={frozen ? "Thaw" : "Freeze"}
      title={frozen ? "Let time go on" : "Stop time: timers stand, messages wait"}
      reason={commands.unavailable}
      onClick={() => report(frozen ? commands.thaw() : commands.freeze())}
    />
  );
}

function HealAll() {
  const commands = useCommands();
  const faulty = useTimeline((state) => hasFaults(state.view));
  const reason = commands.unavailable ?? (faulty ? null : "Every link is whole.");
  return (
    <Action
      label="Heal all"
      title="Make every link whole again"
      reason={reason}
      onClick={() => report(commands.heal())}
    />
  );
}

function addingReason(view: ClusterView): string | null {
  if (view.frozen) return "Time is frozen: no node can join.";
  if (leaderOf(view) === undefined) return "Nobody leads: no node can join.";
  return view.nodes.length < NODES_MAX ? null : `There is room for ${NODES_MAX} nodes.`;
}

function AddNode() {
  const commands = useCommands();
  const reason = useTimeline((state) => addingReason(state.view));
  return (
    <Action
      label="Add node"
      title="One more node: it learns what the others know, then it votes"
      reason={commands.unavailable ?? reason}
      onClick={() => report(commands.addNode())}
    />
  );
}

function Hammer() {
  const hammer = useUi((state) => state.hammer);
  return (
    <button
      type="button"
      className="button"
      aria-pressed={hammer}
      aria-keyshortcuts="K"
      title="With the hammer, one click on a node crashes it, one more restarts it"
      onClick={() => ui.setHammer(!hammer)}
    >
      Hammer <kbd>K</kbd>
    </button>
  );
}

function ThemeToggle() {
  const theme = useUi((state) => state.theme);
  const other = theme === "dark" ? "light" : "dark";
  return (
    <button
      type="button"
      className="button square"
      aria-label={`Use the ${other} theme`}
      title={`Use the ${other} theme`}
      onClick={() => ui.setTheme(other)}
    >
      <svg width="15" height="15" viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" strokeWidth="1.4" />
        <path d="M8 1.8a6.2 6.2 0 0 1 0 12.4z" fill="currentColor" />
      </svg>
    </button>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName))
  );
}

/** Keys that work anywhere but in a field: K the hammer, ? the help. */
function useKeys(): void {
  const hammer = useUi((state) => state.hammer);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (event.key === "k" || event.key === "K") ui.setHammer(!hammer);
      else if (event.key === "?") ui.setHelp(true);
      else if (event.key === "Escape" && hammer) ui.setHammer(false);
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [hammer]);
}

export function TopBar() {
  useKeys();
  return (
    <header className="top">
      <h1 className="wordmark">Raftarium</h1>
      <Sentence />
      <div className="controls">
        <Speed />
        <Freeze />
        <HealAll />
        <Hammer />
        <AddNode />
        <ThemeToggle />
        <button
          type="button"
          className="button square"
          aria-label="Help"
          title="What am I looking at?"
          onClick={() => ui.setHelp(true)}
        >
          ?
        </button>
      </div>
    </header>
  );
}
