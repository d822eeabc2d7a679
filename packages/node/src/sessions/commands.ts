/**
 * Commands as they stand in the log. A state machine's own command stands there as it is; what
 * concerns a session begins with a zero byte and says what it is:
 *
 *     0 0  command                                        one that begins with a zero itself
 *     0 1                                                 open a session
 *     0 2  session                                        close it
 *     0 3  session  sequence  answered through  command   a command of it
 *
 * Numbers take eight bytes each (IEEE 754, big-endian).
 */

/** Which command of which session this is (thesis, section 6.3). */
export interface SessionPosition {
  /** As `opened` told it. */
  readonly session: number;
  /** The client's own counter, from 1 up: the same number again is the same command again. */
  readonly sequence: number;
  /** The client has the answers up to this one: they need not be remembered. From 0 up. */
  readonly answeredThrough: number;
}

export type SessionCommand =
  | { readonly kind: "plain"; readonly command: Uint8Array }
  | { readonly kind: "open" }
  | { readonly kind: "close"; readonly session: number }
  | ({ readonly kind: "command"; readonly command: Uint8Array } & SessionPosition)
  | { readonly kind: "malformed" };

const MARK = 0;
const [PLAIN, OPEN, CLOSE, COMMAND] = [0, 1, 2, 3] as const;
const NUMBER_BYTES = 8;
const MALFORMED: SessionCommand = { kind: "malformed" };

/** A command as it stands in the log; `position` null: of no session. */
export function loggedCommand(command: Uint8Array, position: SessionPosition | null): Uint8Array {
  if (position === null) return command[0] === MARK ? envelope(PLAIN, [], command) : command;
  const { session, sequence, answeredThrough } = position;
  return envelope(COMMAND, [session, sequence, answeredThrough], command);
}

export function openSession(): Uint8Array {
  return envelope(OPEN, []);
}

export function closeSession(session: number): Uint8Array {
  return envelope(CLOSE, [session]);
}

/** The reverse of all of these. Byte strings are views of the input. */
export function readCommand(bytes: Uint8Array): SessionCommand {
  if (bytes[0] !== MARK) return { kind: "plain", command: bytes };
  switch (bytes[1]) {
    case PLAIN:
      return { kind: "plain", command: bytes.subarray(2) };
    case OPEN:
      return bytes.length === 2 ? { kind: "open" } : MALFORMED;
    case CLOSE: {
      const session = numberAt(bytes, 0);
      return session < 0 ? MALFORMED : { kind: "close", session };
    }
    case COMMAND: {
      const session = numberAt(bytes, 0);
      const sequence = numberAt(bytes, 1);
      const answeredThrough = numberAt(bytes, 2);
      if (session < 0 || sequence < 0 || answeredThrough < 0) return MALFORMED;
      const command = bytes.subarray(2 + 3 * NUMBER_BYTES);
      return { kind: "command", session, sequence, answeredThrough, command };
    }
    default:
      return MALFORMED;
  }
}

/** Through these eight bytes go all numbers: a view of each command would cost more than the rest. */
const numberBytes = new Uint8Array(NUMBER_BYTES);
const numberView = new DataView(numberBytes.buffer);

/** A safe integer from 0 up; -1 if there is none. */
function numberAt(bytes: Uint8Array, place: number): number {
  const start = 2 + place * NUMBER_BYTES;
  if (bytes.length < start + NUMBER_BYTES) return -1;
  for (let at = 0; at < NUMBER_BYTES; at += 1) numberBytes[at] = bytes[start + at]!;
  const value = numberView.getFloat64(0);
  return Number.isSafeInteger(value) && value >= 0 ? value : -1;
}

function envelope(
  kind: number,
  numbers: readonly number[],
  command: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const bytes = new Uint8Array(2 + numbers.length * NUMBER_BYTES + command.length);
  bytes[0] = MARK;
  bytes[1] = kind;
  for (const [at, value] of numbers.entries()) {
    numberView.setFloat64(0, value);
    bytes.set(numberBytes, 2 + at * NUMBER_BYTES);
  }
  bytes.set(command, 2 + numbers.length * NUMBER_BYTES);
  return bytes;
}
