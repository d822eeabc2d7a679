/**
 * A page without a picture, in a process of its own as a page is: reads a playground's stream and
 * counts. Started by `startWatcher`; answers every message with what it has counted so far.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { ObserverService } from "@raftarium/protocol/observer";

export interface Counts {
  /** Observations told. */
  readonly told: number;
  /** Messages and requests that were only counted, and observations lost in gaps. */
  readonly omitted: number;
  readonly gaps: number;
}

export interface Watcher {
  counts(): Promise<Counts>;
  close(): Promise<void>;
}

/** Resolves when the first observations have come. */
export async function startWatcher(url: string): Promise<Watcher> {
  const child = fork(import.meta.filename, [url]);
  const answer = async (): Promise<Counts> => {
    const [counts] = (await once(child, "message")) as [Counts];
    return counts;
  };
  await answer();
  return {
    counts() {
      child.send("count");
      return answer();
    },
    async close() {
      const ended = once(child, "exit");
      child.kill();
      await ended;
    },
  };
}

async function watch(baseUrl: string): Promise<void> {
  const counts = { told: 0, omitted: 0, gaps: 0 };
  const tell = () => process.send?.(counts);
  process.on("message", tell);
  const transport = createConnectTransport({ baseUrl, httpVersion: "1.1" });
  for await (const { observations } of createClient(ObserverService, transport).observe({})) {
    const isFirst = counts.told === 0;
    counts.told += observations.length;
    for (const { body } of observations) {
      if (body.case === "messagesOmitted" || body.case === "requestsOmitted") {
        counts.omitted += Number(body.value.count);
      }
      if (body.case === "gap") {
        counts.omitted += Number(body.value.droppedCount);
        counts.gaps += 1;
      }
    }
    if (isFirst) tell();
  }
}

const [, program, url] = process.argv;
if (program === import.meta.filename && url !== undefined) await watch(url);
