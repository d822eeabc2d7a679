/**
 * A state machine of one's own: counters with names. A command is a line of text, `add apples 3`;
 * its result is the new number, or a line that begins with `cannot`. A question is a name; the
 * answer is its number. See docs/state-machine.md.
 */
import type { Applied, StateMachine } from "../../packages/node/src/ports.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** `add NAME AMOUNT`: the amount is a whole number and may be negative. */
const COMMAND = /^add ([a-z][a-z0-9-]{0,31}) (-?\d{1,9})$/;

export default function createCounter(): StateMachine {
  /** The whole state. The order of names is that of their first command: the same on all nodes. */
  let counters = new Map<string, number>();

  return {
    apply(command): Applied<Uint8Array> {
      const text = decoder.decode(command);
      const [, name, amount] = COMMAND.exec(text) ?? [];
      // A command that makes no sense must not throw: it is in the log, and every node meets it.
      if (name === undefined) return refuse(`cannot carry out '${text}': expected add NAME AMOUNT`);
      const before = counters.get(name) ?? 0;
      const after = before + Number(amount);
      if (after < 0) return refuse(`cannot take ${-Number(amount)} from ${name}: it has ${before}`);
      counters.set(name, after);
      const value = encoder.encode(String(after));
      return { result: value, changes: [{ key: encoder.encode(name), value }] };
    },

    query(question) {
      return encoder.encode(String(counters.get(decoder.decode(question)) ?? 0));
    },

    // Small enough for one piece, made at the call: what is applied meanwhile is not in it.
    snapshot: () => [encoder.encode(JSON.stringify([...counters]))].values(),

    restore() {
      const pieces: Uint8Array[] = [];
      return {
        write: (piece) => void pieces.push(piece.slice()),
        end() {
          const text = Buffer.concat(pieces).toString();
          counters = new Map(JSON.parse(text) as [string, number][]);
        },
      };
    },

    describe: (command) => decoder.decode(command.subarray(0, 64)),

    rows: (rowsMax) =>
      [...counters].slice(0, rowsMax).map(([key, value]) => ({ key, value: String(value) })),
  };
}

function refuse(reason: string): Applied<Uint8Array> {
  return { result: encoder.encode(reason), changes: [] };
}
