import type {
  LogIndex,
  LogWrite,
  RecoveredState,
  SnapshotChunk,
  Storage,
  StorageStats,
} from "@raftarium/node";

import { LogWriter } from "./log-writer.ts";
import { LOCAL_SNAPSHOT_TEMPORARY, RECEIVED_SNAPSHOT_TEMPORARY } from "./names.ts";
import type { TornTail } from "./recovery.ts";
import type { SnapshotFile } from "./snapshot-file.ts";
import type { SnapshotOwner } from "./snapshot-format.ts";
import type { SnapshotStore } from "./snapshot-store.ts";
import { SnapshotWriter } from "./snapshot-writer.ts";
import type { Space } from "./space.ts";

/** Writes gathered into one frame, at most: a bound on the time one turn takes. */
const BATCH_BYTES_MAX = 1024 * 1024;

type Operation =
  | { readonly kind: "persist"; readonly write: LogWrite; readonly done: () => void }
  | { readonly kind: "chunk"; readonly chunk: SnapshotChunk; readonly done: () => void };

/** An open storage, and what opening it found. */
export interface OpenedStorage extends Storage {
  /** What a crash left of an unfinished write, cut off at opening; null: a clean end. */
  readonly torn: TornTail | null;
  /** See the Storage port. Between the first and the second tick without a write the log is marked. */
  tick(): void;
}

/**
 * Two lanes. The log's lane carries `persist` and a leader's snapshot chunks, in the order of the
 * calls, one write at a time; what arrives during a write is gathered into the next one. Chunks
 * of this node's own snapshots have a lane of their own: the log does not wait for them.
 */
export class LogStorage implements OpenedStorage {
  readonly recovered: RecoveredState;
  readonly torn: TornTail | null;
  readonly #space: Space;
  readonly #log: LogWriter;
  readonly #snapshots: SnapshotStore;
  readonly #received: SnapshotWriter;
  readonly #local: SnapshotWriter;
  readonly #batchBytesMax: number;
  #queue: Operation[] = [];
  #busy = false;
  /** Nothing was asked of the log since the tick before. */
  #calm = false;
  #localQueue: { readonly chunk: SnapshotChunk; readonly done: () => void }[] = [];
  #localBusy = false;
  #removing = false;
  #closing: (() => void) | null = null;

  constructor(parts: {
    readonly space: Space;
    readonly owner: SnapshotOwner;
    readonly log: LogWriter;
    readonly snapshots: SnapshotStore;
    readonly segmentBytes: number;
    readonly recovered: RecoveredState;
    readonly torn: TornTail | null;
  }) {
    const { space, owner } = parts;
    this.recovered = parts.recovered;
    this.torn = parts.torn;
    this.#space = space;
    this.#log = parts.log;
    this.#snapshots = parts.snapshots;
    this.#received = new SnapshotWriter(space, owner, RECEIVED_SNAPSHOT_TEMPORARY);
    this.#local = new SnapshotWriter(space, owner, LOCAL_SNAPSHOT_TEMPORARY);
    space.onIdle = () => this.#settle();
    this.#batchBytesMax = Math.min(BATCH_BYTES_MAX, Math.floor(parts.segmentBytes / 2));
  }

  persist(write: LogWrite, done: () => void): void {
    this.#calm = false;
    this.#space.poke();
    this.#queue.push({ kind: "persist", write, done });
    this.#pump();
  }

  writeSnapshotChunk(chunk: SnapshotChunk, done: () => void): void {
    this.#space.poke();
    if (chunk.origin === "received") {
      this.#queue.push({ kind: "chunk", chunk, done });
      this.#pump();
    } else {
      this.#localQueue.push({ chunk, done });
      this.#pumpLocal();
    }
  }

  readSnapshotChunk(
    index: LogIndex,
    offset: number,
    bytesMax: number,
    done: (data: Uint8Array | null, last: boolean) => void,
  ): void {
    if (this.#space.failed) return;
    const found = this.#snapshots.read(index, offset, bytesMax, done);
    if (!found) this.#log.defer(() => done(null, false));
  }

  compact(throughIndex: LogIndex): void {
    if (this.#space.failed || this.#removing) return;
    const limit = Math.min(throughIndex, this.#snapshots.currentIndex);
    const obsolete = this.#log.takeObsolete(limit);
    if (obsolete.length === 0) return;
    this.#removing = true;
    const removeNext = (): void => {
      const segment = obsolete.shift();
      if (segment === undefined) {
        this.#removing = false;
        this.#settle();
        return;
      }
      const { path } = segment;
      this.#space.disk.remove(path, this.#space.guard("remove", path, removeNext));
    };
    removeNext();
  }

  /**
   * Says on disk how far the log is durable, once nothing follows that would say it. Not at once: it
   * costs a write, and under load the next frame is on its way already.
   *
   * While the disk is full it is also time to look for space: a follower whose write waits for it
   * acknowledges nothing, so its leader sends nothing more, and nobody else may call.
   */
  tick(): void {
    this.#space.poke();
    const wasCalm = this.#calm;
    this.#calm = true;
    if (!wasCalm || this.#busy || this.#space.failed || this.#closing !== null) return;
    if (!this.#log.unmarked) return;
    this.#busy = true;
    this.#log.mark(() => {
      this.#busy = false;
      this.#pump();
    });
  }

  stats(): StorageStats {
    this.#space.poke();
    return {
      diskBytes:
        this.#log.diskBytes +
        this.#snapshots.diskBytes +
        this.#received.fileBytes +
        this.#local.fileBytes +
        this.#space.reserveBytes,
      syncCount: this.#log.syncCount,
      lastSyncUs: this.#log.lastSyncUs,
      writable: this.#space.writable,
    };
  }

  close(done: () => void): void {
    this.#closing = done;
    this.#settle();
  }

  #pump(): void {
    if (this.#busy || this.#space.failed) return;
    const first = this.#queue[0];
    if (first === undefined) {
      this.#settle();
    } else if (first.kind === "persist") {
      this.#appendBatch();
    } else {
      this.#queue.shift();
      this.#busy = true;
      this.#writeReceived(first.chunk, () => this.#complete([first]));
    }
  }

  /** One frame for all writes that wait, up to a snapshot chunk or the limit. */
  #appendBatch(): void {
    const batch: (Operation & { kind: "persist" })[] = [];
    let bytes = 0;
    let sync = false;
    for (const operation of this.#queue) {
      if (operation.kind !== "persist") break;
      bytes += LogWriter.sizeOf(operation.write);
      if (batch.length > 0 && bytes > this.#batchBytesMax) break;
      sync ||= operation.write.sync;
      batch.push(operation);
    }
    this.#queue = this.#queue.slice(batch.length);
    this.#busy = true;
    const writes = batch.map((operation) => operation.write);
    this.#log.append(writes, sync, () => this.#complete(batch));
  }

  #complete(operations: readonly Operation[]): void {
    // Still busy: what those who are told ask for is gathered, and written when all are told.
    for (const operation of operations) operation.done();
    this.#busy = false;
    this.#pump();
  }

  #writeReceived(chunk: SnapshotChunk, done: () => void): void {
    this.#received.write(chunk, (finished) => {
      if (finished === null) {
        done();
        return;
      }
      const { index, term } = finished.metadata;
      this.#snapshots.install(finished, () => {
        const known = this.#log.terms.termAt(index);
        const holds =
          index < this.#log.terms.baseIndex ||
          (index === this.#log.terms.baseIndex && known === null) ||
          known === term;
        // Either way all that was asked for before is durable when this is answered.
        if (holds) this.#log.flush(done);
        else this.#log.reset(index, term, done);
      });
    });
  }

  #pumpLocal(): void {
    if (this.#localBusy || this.#space.failed) return;
    const next = this.#localQueue.shift();
    if (next === undefined) {
      this.#settle();
      return;
    }
    this.#localBusy = true;
    const complete = (): void => {
      this.#localBusy = false;
      next.done();
      this.#pumpLocal();
    };
    this.#local.write(next.chunk, (finished: SnapshotFile | null) => {
      if (finished === null) complete();
      else this.#snapshots.install(finished, complete);
    });
  }

  /** Closes when that was asked for and nothing is outstanding (or nothing can ever complete). */
  #settle(): void {
    const done = this.#closing;
    if (done === null) return;
    const hopeless = this.#space.failed || this.#space.stuck;
    const outstanding = this.#busy || this.#localBusy || this.#removing || this.#space.creating;
    if (outstanding && !hopeless) return;
    this.#closing = null;
    const closeFiles = (): void => {
      this.#space.end();
      this.#received.close(() =>
        this.#local.close(() => this.#snapshots.close(() => this.#log.close(done))),
      );
    };
    if (hopeless) {
      closeFiles();
      return;
    }
    this.#busy = true;
    const marked = (): void => this.#log.sync(closeFiles);
    this.#log.sync(() => this.#log.mark(marked));
  }
}
