/** A node's state machine in a scenario: the commands that were carried out, within sessions. */
import { isSessionNotice, withSessions } from "@raftarium/node";
import type { SessionNotice, StateMachine } from "@raftarium/node";
import type { Entry } from "@raftarium/raft";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Replica {
  #commands: string[] = [];
  readonly #machine: StateMachine<string | SessionNotice>;

  constructor() {
    const text = {
      encode: (result: string): Uint8Array => encoder.encode(result),
      decode: (bytes: Uint8Array): string => decoder.decode(bytes),
    };
    // So few that a scenario can show what becomes of those that nobody used for long.
    const limits = {
      sessionsMax: 2,
      bytesMax: 1 << 20,
      answersPerSessionMax: 2,
      bytesPerSessionMax: 1 << 10,
    };
    this.#machine = withSessions(this.#list(), text, limits);
  }

  /** All that took effect, in order. */
  get commands(): readonly string[] {
    return this.#commands;
  }

  describe(command: Uint8Array): string {
    return this.#machine.describe(command);
  }

  /** What came of a command of a session, in words; null: it was of none. */
  apply({ data, index }: Entry): string | null {
    const before = this.#commands.length;
    const { result } = this.#machine.apply(data, index);
    if (isSessionNotice(result)) {
      return result.session === "opened" ? `opens session ${result.id}` : NOTICES[result.session];
    }
    const what = this.describe(data);
    if (!what.includes("(session ")) return null;
    const done = this.#commands.length > before;
    return `${done ? "carries out" : "has carried out before"} ${what}: ${result}`;
  }

  snapshot(): Uint8Array {
    return Uint8Array.from([...this.#machine.snapshot()].flatMap((piece) => [...piece]));
  }

  restore(snapshot: Uint8Array): void {
    const restoring = this.#machine.restore();
    restoring.write(snapshot);
    restoring.end();
  }

  #list(): StateMachine<string> {
    return {
      apply: (command, index) => {
        this.#commands.push(decoder.decode(command));
        return { result: `done at ${index}`, changes: [] };
      },
      query: () => new Uint8Array(0),
      snapshot: () => [encoder.encode(this.#commands.join("\n"))].values(),
      restore: () => {
        let text = "";
        return {
          write: (piece) => void (text += decoder.decode(piece)),
          end: () => void (this.#commands = text === "" ? [] : text.split("\n")),
        };
      },
      describe: (command) => decoder.decode(command),
      rows: () => [],
    };
  }
}

const NOTICES = {
  closed: "closes the session",
  expired: "knows no such session, and carries out nothing",
  forgotten: "has let go of that answer, and carries out nothing",
  malformed: "cannot read that",
} as const;
