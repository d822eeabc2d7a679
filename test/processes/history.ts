/**
 * Clients that share keys and write down what they asked, when, and what they were told; and the
 * judge of that: is there an order that explains all of it?
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { checkLinearizable, formatHistory, historyPage } from "@raftarium/checker";
import type { Action, FaultBand, Operation, Outcome, Value } from "@raftarium/checker";
import { createRandom } from "@raftarium/node";
import type { Random } from "@raftarium/raft";
import { expect } from "vitest";
import { REPORTS } from "../reports.ts";
import { Refusal, base64Of, textOf, type KeyValueDoor } from "./playground.ts";
import { eventually } from "./spawn.ts";

const KEYS = 4;
/** Rests keep the history short, so that the check of it is a matter of a second. */
const REST_MS = 40;
const REST_AFTER_REFUSAL_MS = 200;
/** Who asks a node that answers nothing gives up, and goes on as somebody else. */
const PATIENCE_MS = 1000;
const PATIENCE_AT_THE_END_MS = 10_000;
const CHECK_MS_MAX = 30_000;

/** What each action is chosen by, out of ten. */
const ACTIONS = ["get", "get", "get", "get", "put", "put", "put", "cas", "cas", "delete"] as const;

interface Told {
  readonly action: Action;
  readonly outcome: Outcome;
}

interface OpenBand extends FaultBand {
  to: number | null;
}

/** One client for each node; it asks that node only, whatever becomes of the node. */
export class SharingClients {
  readonly #door: KeyValueDoor;
  readonly #name: string;
  readonly #nodeIds: readonly string[];
  readonly #keys: readonly string[];
  readonly #startNs = process.hrtime.bigint();
  readonly #operations: Operation[] = [];
  readonly #faults: OpenBand[] = [];
  readonly #stopping = new AbortController();
  readonly #loops: Promise<void>[];
  #clientCount = 0;

  /** @param name of the history, and the beginning of its keys: nobody else may write those. */
  constructor(door: KeyValueDoor, name: string, nodeIds: readonly string[]) {
    this.#door = door;
    this.#name = name;
    this.#nodeIds = nodeIds;
    this.#keys = Array.from({ length: KEYS }, (_, index) => `${name}-shared-${index}`);
    this.#loops = nodeIds.map((nodeId, index) => this.#work(nodeId, createRandom(index)));
  }

  /** Nanoseconds since the creation, by a clock that nobody sets. */
  #now(): number {
    return Number(process.hrtime.bigint() - this.#startNs);
  }

  #newClient(): number {
    this.#clientCount += 1;
    return this.#clientCount;
  }

  async #work(nodeId: string, random: Random): Promise<void> {
    const seen = new Map<string, Value>();
    let client = this.#newClient();
    let unanswered: string | null = null;
    for (let round = 0; !this.#stopping.signal.aborted; round += 1) {
      // Who was not answered looks what has become of it: that is when a node may know too little.
      const key: string = unanswered ?? this.#keys[random.integer(0, KEYS - 1)]!;
      const kind = unanswered === null ? ACTIONS[random.integer(0, ACTIONS.length - 1)]! : "get";
      const asked = actionOf(kind, key, `${nodeId}.${round}`, seen.get(key) ?? null);
      const { action, outcome } = await this.#ask(client, asked, nodeId, PATIENCE_MS);
      unanswered = outcome === "ok" ? null : key;
      if (outcome === "ok") remember(seen, action);
      if (outcome === "unknown") client = this.#newClient();
      const restMs = outcome === "ok" ? REST_MS : REST_AFTER_REFUSAL_MS;
      await new Promise((resolve) => setTimeout(resolve, restMs));
    }
  }

  async #ask(client: number, asked: Action, nodeId: string, timeoutMs: number): Promise<Told> {
    const call = this.#now();
    const told = await carryOut(this.#door, asked, { nodeId, timeoutMs });
    this.#operations.push({ client, ...told, call, return: this.#now() });
    return told;
  }

  get #answered(): number {
    return this.#operations.filter(({ outcome }) => outcome === "ok").length;
  }

  /** Waits until so many more operations are answered. */
  more(count: number): Promise<true> {
    const goal = this.#answered + count;
    return eventually(`${count} more answered operations`, () =>
      this.#answered >= goal ? true : undefined,
    );
  }

  /** For the picture: something is wrong from now on, until what is handed back is called. */
  fault(label: string): () => void {
    const band: OpenBand = { label, from: this.#now(), to: null };
    this.#faults.push(band);
    return () => void (band.to = this.#now());
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#loops);
  }

  /** When all have stopped and all nodes are well: each node is asked for each key once more. */
  async expectLinearizable(): Promise<void> {
    await Promise.all(this.#nodeIds.map((nodeId) => this.#readAll(nodeId)));
    await expectLinearizable({
      name: this.#name,
      operations: this.#operations,
      faults: this.#faults,
    });
  }

  async #readAll(nodeId: string): Promise<void> {
    const client = this.#newClient();
    for (const key of this.#keys) {
      const asked = actionOf("get", key, "", null);
      const { outcome } = await this.#ask(client, asked, nodeId, PATIENCE_AT_THE_END_MS);
      expect(outcome, `node ${nodeId}, asked for ${key} when all was well`).toBe("ok");
    }
  }
}

function actionOf(
  kind: (typeof ACTIONS)[number],
  key: string,
  value: string,
  expected: Value,
): Action {
  switch (kind) {
    case "get":
      return { kind, key, value: null };
    case "put":
      return { kind, key, value };
    case "cas":
      return { kind, key, expected, value, swapped: null };
    case "delete":
      return { kind, key };
  }
}

/** What a client knows of a key after an answer. */
function remember(seen: Map<string, Value>, action: Action): void {
  if (action.kind === "get" || action.kind === "put") seen.set(action.key, action.value);
  if (action.kind === "delete") seen.set(action.key, null);
  if (action.kind === "cas" && action.swapped === true) seen.set(action.key, action.value);
}

async function carryOut(
  door: KeyValueDoor,
  asked: Action,
  options: { readonly nodeId: string; readonly timeoutMs: number },
): Promise<Told> {
  try {
    return { action: await answerOf(door, asked, options), outcome: "ok" };
  } catch (error) {
    // A connection that broke says nothing of what became of the request.
    return { action: asked, outcome: error instanceof Refusal ? error.outcome : "unknown" };
  }
}

async function answerOf(
  door: KeyValueDoor,
  action: Action,
  options: { readonly nodeId: string; readonly timeoutMs: number },
): Promise<Action> {
  switch (action.kind) {
    case "get": {
      const { kvs = [] } = await door.kv<{ kvs?: readonly { value?: string }[] }>(
        "Range",
        { key: base64Of(action.key) },
        options,
      );
      const [found] = kvs;
      return { ...action, value: found === undefined ? null : textOf(found.value ?? "") };
    }
    case "put":
      await door.kv("Put", { key: base64Of(action.key), value: base64Of(action.value) }, options);
      return action;
    case "delete":
      await door.kv("DeleteRange", { key: base64Of(action.key) }, options);
      return action;
    case "cas": {
      const { expected } = action;
      const key = base64Of(action.key);
      const is =
        expected === null
          ? { target: "VERSION", version: "0" }
          : { target: "VALUE", value: base64Of(expected) };
      const body = {
        compare: [{ key, result: "EQUAL", ...is }],
        success: [{ requestPut: { key, value: base64Of(action.value) } }],
      };
      const { succeeded = false } = await door.kv<{ succeeded?: boolean }>("Txn", body, options);
      return { ...action, swapped: succeeded };
    }
    case "txn":
      throw new Error("expected an action of one key, got a txn");
  }
}

interface Recorded {
  /** Of the files, should it come to that. */
  readonly name: string;
  readonly operations: readonly Operation[];
  readonly faults: readonly FaultBand[];
  /** Where the files go. */
  readonly directory?: string;
}

/**
 * Fails unless some order explains the history. Then the history and its picture are written for
 * whoever wants to know why, and the message says where.
 */
export async function expectLinearizable({
  name,
  operations,
  faults,
  directory = join(import.meta.dirname, "../..", REPORTS),
}: Recorded): Promise<void> {
  const history = operations.toSorted((left, right) => left.call - right.call);
  const startMs = performance.now();
  const isOutOfTime = (): boolean => performance.now() - startMs > CHECK_MS_MAX;
  const result = checkLinearizable(history, { thorough: true, isOutOfTime });
  if (result.verdict === "ok") return;
  await mkdir(directory, { recursive: true });
  const file = join(directory, `history-${name}.jsonl`);
  const picture = join(directory, `history-${name}.html`);
  const lines = history.map((_, index) => index + 1);
  await writeFile(file, formatHistory(history, faults));
  await writeFile(picture, historyPage({ title: name, history, result, faults, lines }));
  const [shownFile, shownPicture] = [file, picture].map((path) => relative("", path));
  throw new Error(
    `expected an order that explains ${history.length} operations; the verdict is ` +
      `${result.verdict}: ${result.sentence}\n` +
      `the history: ${shownFile}\nits picture: ${shownPicture}\n` +
      `to check it again: pnpm raft-client check-history ${shownFile}`,
  );
}
