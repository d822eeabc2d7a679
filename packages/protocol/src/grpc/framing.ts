/** gRPC's framing: before each message a byte that says whether it is compressed, and its length. */

export const PREFIX_BYTES = 5;

/** One message as it goes into a stream. */
export function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}

export interface FrameEvents {
  /** One message, whole; a view of what arrived, if it arrived in one piece. */
  onMessage(message: Buffer, compressed: boolean): void;
  /** Longer than it may be: nothing after it can be read. */
  onTooLong(length: number): void;
}

/** Finds the messages in what arrives, wherever it is cut. */
export class FrameReader {
  readonly #messageBytesMax: number;
  readonly #events: FrameEvents;
  /** The beginning of a frame whose end has not arrived. */
  #pieces: Buffer[] = [];
  #piecesLength = 0;
  /** Of the frame, its prefix included; as far as it is known yet. */
  #frameLength = PREFIX_BYTES;
  #over = false;

  constructor(messageBytesMax: number, events: FrameEvents) {
    this.#messageBytesMax = messageBytesMax;
    this.#events = events;
  }

  /** A message has begun and not ended. */
  get inMessage(): boolean {
    return this.#piecesLength > 0;
  }

  /** Nothing more is told: what still arrives is of no interest. */
  stop(): void {
    this.#over = true;
    this.#pieces = [];
  }

  take(arrived: Buffer): void {
    let bytes = arrived;
    if (this.#piecesLength > 0) {
      this.#pieces.push(arrived);
      this.#piecesLength += arrived.length;
      // A long message comes in many pieces: they are put together once.
      if (this.#piecesLength < this.#frameLength) return;
      bytes = Buffer.concat(this.#pieces);
      this.#pieces = [];
      this.#piecesLength = 0;
    }
    let at = 0;
    while (!this.#over && bytes.length - at >= PREFIX_BYTES) {
      const length = bytes.readUInt32BE(at + 1);
      if (length > this.#messageBytesMax) {
        this.stop();
        this.#events.onTooLong(length);
        return;
      }
      const end = at + PREFIX_BYTES + length;
      this.#frameLength = end - at;
      if (bytes.length < end) break;
      const compressed = bytes[at] !== 0;
      const message = bytes.subarray(at + PREFIX_BYTES, end);
      at = end;
      this.#frameLength = PREFIX_BYTES;
      this.#events.onMessage(message, compressed);
    }
    if (this.#over || at === bytes.length) return;
    const rest = at === 0 ? bytes : bytes.subarray(at);
    this.#pieces = [rest];
    this.#piecesLength = rest.length;
  }
}
