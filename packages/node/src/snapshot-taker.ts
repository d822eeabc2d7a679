import {
  decodeConfiguration,
  type Configuration,
  type Entry,
  type LogIndex,
  type SnapshotMetadata,
  type Term,
} from "@raftarium/raft";
import type { Ports, RaftNodeOptions } from "./options.ts";

/** Bytes of one chunk on its way to storage. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Takes snapshots of the state machine while it goes on working: the pieces are drawn over many
 * turns, each chunk after the one before it is written.
 */
export class SnapshotTaker<Result> {
  readonly #options: RaftNodeOptions;
  readonly #ports: Ports<Result>;
  readonly #onSaved: (index: LogIndex) => void;
  #appliedIndex: LogIndex = 0;
  #appliedTerm: Term = 0;
  /** As of the applied index, which the configuration in force may be ahead of. */
  #configuration: Configuration;
  #configurationIndex: LogIndex = 0;
  #snapshotIndex: LogIndex = 0;
  #bytesSince = 0;
  /** The pieces of the snapshot that is being taken; null: none is. */
  #pieces: IterableIterator<Uint8Array> | null = null;

  constructor(options: RaftNodeOptions, ports: Ports<Result>, onSaved: (index: LogIndex) => void) {
    this.#options = options;
    this.#ports = ports;
    this.#onSaved = onSaved;
    this.#configuration = options.raft.initialConfiguration;
  }

  start(snapshot: SnapshotMetadata | null): void {
    if (snapshot !== null) this.restored(snapshot);
  }

  entryApplied(entry: Entry): void {
    this.#appliedIndex = entry.index;
    this.#appliedTerm = entry.term;
    this.#bytesSince += entry.data.length;
    if (entry.kind === "configuration") {
      const configuration = decodeConfiguration(entry.data);
      if (configuration === null) {
        throw new Error(
          `cannot apply entry ${entry.index}: expected a configuration, got ` +
            `${entry.data.length} bytes that are none`,
        );
      }
      this.#configuration = configuration;
      this.#configurationIndex = entry.index;
    }
  }

  restored(snapshot: SnapshotMetadata): void {
    this.#appliedIndex = snapshot.index;
    this.#appliedTerm = snapshot.term;
    this.#configuration = snapshot.configuration;
    this.#configurationIndex = snapshot.configurationIndex;
    this.#snapshotIndex = snapshot.index;
    this.#bytesSince = 0;
  }

  /** Starts a snapshot if enough was applied since the last one. */
  consider(): void {
    if (this.#pieces !== null) return;
    const entries = this.#appliedIndex - this.#snapshotIndex;
    if (entries === 0) return;
    if (entries < this.#options.snapshotEntries && this.#bytesSince < this.#options.snapshotBytes) {
      return;
    }
    const snapshot: SnapshotMetadata = {
      index: this.#appliedIndex,
      term: this.#appliedTerm,
      configuration: this.#configuration,
      configurationIndex: this.#configurationIndex,
    };
    this.#snapshotIndex = snapshot.index;
    this.#bytesSince = 0;
    this.#pieces = this.#ports.machine.snapshot();
    this.#writeNext(this.#pieces, snapshot, 0);
  }

  /** A leader's snapshot is coming in, or the node stops: ours is of no use any more. */
  abandon(): void {
    this.#pieces?.return?.();
    this.#pieces = null;
  }

  stop(): void {
    this.abandon();
  }

  #writeNext(
    pieces: IterableIterator<Uint8Array>,
    snapshot: SnapshotMetadata,
    offset: number,
  ): void {
    const gathered: Uint8Array[] = [];
    let length = 0;
    let ended = false;
    while (length < CHUNK_BYTES && !ended) {
      const next = pieces.next();
      if (next.done === true) {
        ended = true;
      } else {
        gathered.push(next.value);
        length += next.value.length;
      }
    }
    const data = concatenate(gathered, length);
    this.#ports.storage.writeSnapshotChunk(
      { snapshot, offset, data, done: ended, origin: "local" },
      () => {
        if (this.#pieces !== pieces) return;
        if (ended) {
          this.#pieces = null;
          this.#onSaved(snapshot.index);
        } else {
          this.#writeNext(pieces, snapshot, offset + length);
        }
      },
    );
  }
}

function concatenate(pieces: readonly Uint8Array[], length: number): Uint8Array {
  if (pieces.length === 1) return pieces[0] as Uint8Array;
  const whole = new Uint8Array(length);
  let position = 0;
  for (const piece of pieces) {
    whole.set(piece, position);
    position += piece.length;
  }
  return whole;
}
