/** The requests that this page makes of the cluster, and their answers. */
import { useRef, useState } from "react";
import { useCommands, useTimeline } from "../state/use.ts";
import { waitMs, type Asked, type ClientDeed } from "./client-model.ts";

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

/** Whom to ask, and how. */
export interface Choice {
  /** null: any node. */
  readonly nodeId: number | null;
  readonly serializable: boolean;
  /** Writes are sent in a session: carried out once. */
  readonly once: boolean;
}

/** The requests of this page, newest first, and how to make one. */
export function useRequests() {
  const commands = useCommands();
  const speed = useTimeline((state) => state.view.speed);
  const [requests, setRequests] = useState<readonly Asked[]>([]);
  const stops = useRef(new Map<string, AbortController>());

  const ask = async (deed: ClientDeed, key: string, value: string, choice: Choice) => {
    const requestId = nextRequestId();
    const stop = new AbortController();
    stops.current.set(requestId, stop);
    const { nodeId, serializable, once } = choice;
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
    const options = { nodeId, serializable, once, requestId, timeoutMs: waitMs(speed), signal };
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
