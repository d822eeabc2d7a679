/**
 * Tells nodes what is in force. What is told is the truth as it is when the call is made: calls to
 * one node don't overlap, and whoever asks while one is under way shares the one after it.
 */
export interface TellerOptions<Link> {
  /** The connection to a running node; undefined: it can't be told now, and need not. */
  readonly linkTo: (nodeId: number) => Link | undefined;
  readonly tell: (nodeId: number, link: Link) => Promise<void>;
}

/** A node that did not answer is told again after this, until it has heard or has ended. */
const AGAIN_MS = 500;

interface Telling {
  /** The call under way. */
  readonly current: Promise<void>;
  /** The one after it, shared by all who ask meanwhile. */
  next: Promise<void> | null;
}

/** The answer resolves once the node has heard a truth no older than the call, or is not running. */
export function createTeller<Link>(
  options: TellerOptions<Link>,
): (nodeId: number) => Promise<void> {
  const { linkTo, tell } = options;
  const tellings = new Map<number, Telling>();

  function ask(nodeId: number): Promise<void> {
    const telling = tellings.get(nodeId);
    if (telling !== undefined) {
      const again = () => ask(nodeId);
      telling.next ??= telling.current.then(again, again);
      return telling.next;
    }
    const current = now(nodeId).finally(() => tellings.delete(nodeId));
    tellings.set(nodeId, { current, next: null });
    return current;
  }

  async function now(nodeId: number): Promise<void> {
    const link = linkTo(nodeId);
    if (link === undefined) return;
    try {
      await tell(nodeId, link);
    } catch (error) {
      if (linkTo(nodeId) === link) {
        setTimeout(() => void ask(nodeId).catch(() => {}), AGAIN_MS).unref();
      }
      throw error;
    }
  }

  return ask;
}
