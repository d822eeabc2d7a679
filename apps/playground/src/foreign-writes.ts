/**
 * Who wrote what is committed: this page's clients, or somebody else, at a node's own port. The
 * nodes tell of their entries in a few words (`fruit=pear`, `del fruit`), and so do we of our
 * clients' writes: an entry that none of these accounts for is somebody else's. What was in a key
 * before it was first asked for here is no matter.
 */
import { textOf } from "@raftarium/kv";
import type { EntryView, Observation } from "@raftarium/observer";

export interface ForeignWrites {
  /** Our clients know of this key from now on. `name`: what `keys` shall call it. */
  touch(key: Uint8Array, name: (key: Uint8Array) => string): void;
  /** One of ours begins; call the answer with how it ended, if it did. */
  expect(description: string): (outcome: "ok" | "fail" | "unknown") => void;
  observe(observations: readonly Observation[]): void;
  /** Keys that others wrote after they were first touched here. */
  keys(): readonly string[];
  /** Entries that others may have written, to keys that nobody told. */
  untoldCount(): number;
}

/** Nodes tell so much of an entry at least. */
const WORDS_COMPARED = 80;
/** Entries told that follow one that was not, kept in case another node tells it yet. */
const COUNTED_MAX = 20_000;

/** What a node said of its log and has not said to be committed. */
type Log = Map<number, EntryView>;

export function createForeignWrites(): ForeignWrites {
  /** What nodes call them, by name. */
  const touched = new Map<string, string>();
  const foreign = new Set<string>();
  /** Writes of ours that no entry was seen of yet, by their words. */
  const expected = new Map<string, number>();
  const logs = new Map<number, Log>();
  /** Committed entries that were told: all up to `through`, except so many; and these. */
  const counted = new Set<number>();
  let through = 0;
  let missed = 0;
  let isBegun = false;
  /** The end of the logs that nodes began with. */
  let startIndex = 0;
  let commitIndex = 0;
  let okCount = 0;
  let matchedCount = 0;
  let unreadableCount = 0;

  function begin(): void {
    if (isBegun) return;
    isBegun = true;
    through = Math.max(commitIndex, startIndex);
    commitIndex = through;
  }

  /** Each once, whoever tells it first. */
  function committed({ index, kind, description }: EntryView): void {
    if (!isBegun || index <= through || counted.has(index)) return;
    counted.add(index);
    settle(0);
    while (counted.size > COUNTED_MAX) settle(1);
    if (kind !== "command") return;
    const words = shortened(description);
    const count = expected.get(words) ?? 0;
    if (count > 0) {
      matchedCount += 1;
      if (count === 1) expected.delete(words);
      else expected.set(words, count - 1);
      return;
    }
    const answers = [...touched].map(
      ([name, shown]) => [name, writes(description, shown)] as const,
    );
    for (const [name, answer] of answers) if (answer === "yes") foreign.add(name);
    if (answers.some(([, answer]) => answer === "perhaps")) unreadableCount += 1;
  }

  /** `through` goes over so many entries that were not told, and then as far as it can. */
  function settle(over: number): void {
    through += over;
    missed += over;
    while (counted.delete(through + 1)) through += 1;
  }

  function advance(nodeId: number, toIndex: number): void {
    commitIndex = Math.max(commitIndex, toIndex);
    const log = logs.get(nodeId);
    for (const [index, entry] of log ?? []) {
      if (index > toIndex) continue;
      committed(entry);
      log?.delete(index);
    }
  }

  function append(nodeId: number, entries: readonly EntryView[]): void {
    const log = logs.get(nodeId) ?? new Map<number, EntryView>();
    logs.set(nodeId, log);
    for (const entry of entries) log.set(entry.index, entry);
  }

  return {
    touch(key, name) {
      begin();
      touched.set(name(key), textOf(key));
    },
    expect(description) {
      begin();
      const words = shortened(description);
      expected.set(words, (expected.get(words) ?? 0) + 1);
      return (outcome) => {
        if (outcome === "ok") okCount += 1;
        const count = expected.get(words) ?? 0;
        if (outcome === "fail" && count > 0) expected.set(words, count - 1);
      };
    },
    observe(observations) {
      for (const { nodeId, body } of observations) {
        switch (body.kind) {
          case "node-view":
            if (!logs.has(nodeId)) startIndex = Math.max(startIndex, body.view.lastIndex);
            logs.delete(nodeId);
            append(nodeId, body.view.entries);
            advance(nodeId, body.view.commitIndex);
            break;
          case "log-appended":
            append(nodeId, body.entries);
            break;
          case "log-truncated":
            for (const index of logs.get(nodeId)?.keys() ?? []) {
              if (index >= body.fromIndex) logs.get(nodeId)?.delete(index);
            }
            break;
          case "commit-advanced":
            advance(nodeId, body.commitIndex);
            break;
          default:
        }
      }
    },
    keys: () => [...foreign],
    untoldCount() {
      const untold = commitIndex - through - counted.size + missed;
      // Writes of ours that were acknowledged are among those that were not told.
      return Math.max(0, untold - Math.max(0, okCount - matchedCount)) + unreadableCount;
    },
  };
}

function shortened(description: string): string {
  return Array.from(description.replace(/…$/, "")).slice(0, WORDS_COMPARED).join("");
}

/** How the nodes end the description of a write that belongs to a session. */
const OF_SESSION = / \(session \d+, no\. \d+\)$/;

/** Whether an entry of somebody else's, as it was told, changes this key. */
function writes(description: string, key: string): "yes" | "no" | "perhaps" {
  const isCut = description.endsWith("…");
  const told = isCut ? description.slice(0, -1) : description.replace(OF_SESSION, "");
  const put = `${key}=`;
  if (told.startsWith(put) || (isCut && put.startsWith(told))) return "yes";
  if (told.startsWith("txn ")) {
    if (told.includes(put) || told.includes(`del ${key}`)) return "yes";
    return isCut || told.includes("del ") ? "perhaps" : "no";
  }
  if (told.startsWith("unreadable ")) return "perhaps";
  if (!told.startsWith("del ")) return "no";
  const range = told.slice("del ".length);
  if (range === key || (isCut && key.startsWith(range))) return "yes";
  if (range === "all keys") return "yes";
  if (range.endsWith("*") && key.startsWith(range.slice(0, -1))) return "yes";
  return isCut || / and after$| to /.test(range) ? "perhaps" : "no";
}
