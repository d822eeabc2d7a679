import type { SnapshotChunk } from "@raftarium/node";

import { diskFailed } from "./errors.ts";
import type { DiskFile } from "./disk.ts";
import { SnapshotFile } from "./snapshot-file.ts";
import {
  BLOCK_DATA_BYTES,
  blockPrefix,
  encodeFooter,
  encodeSnapshotHeader,
} from "./snapshot-format.ts";
import type { SnapshotOwner } from "./snapshot-format.ts";
import type { Space } from "./space.ts";

/** Written chunks are flushed on the way, so that no sync of the log waits behind a big one. */
const BYTES_PER_SYNC = 1024 * 1024;

/**
 * Writes the chunks of one snapshot after the other to one temporary file. Takes a chunk at a
 * time: the next one after `done` of the one before.
 */
export class SnapshotWriter {
  readonly #space: Space;
  readonly #owner: SnapshotOwner;
  readonly #path: string;
  #file: DiskFile | null = null;
  #position = 0;
  #headerBytes = 0;
  #blockNumber = 0;
  /** Gathers a block whose data comes in pieces; null until the first that does. */
  #block: Uint8Array | null = null;
  #blockFilled = 0;
  #size = 0;
  #unsyncedBytes = 0;

  constructor(space: Space, owner: SnapshotOwner, path: string) {
    this.#space = space;
    this.#owner = owner;
    this.#path = path;
  }

  /** `done` has the finished, synced snapshot (under its temporary name) after the last chunk. */
  write(chunk: SnapshotChunk, done: (finished: SnapshotFile | null) => void): void {
    if (chunk.offset === 0) this.#startOver(() => this.#append(chunk, done));
    else this.#append(chunk, done);
  }

  /** Bytes of the unfinished file. */
  get fileBytes(): number {
    return this.#file === null ? 0 : this.#position;
  }

  /** Closes an unfinished file; what is left of it is removed at the next start. */
  close(done: () => void): void {
    const file = this.#file;
    this.#file = null;
    if (file === null) done();
    else file.close(() => done());
  }

  #startOver(next: () => void): void {
    const { disk } = this.#space;
    if (this.#file !== null) {
      const file = this.#file;
      this.#file = null;
      const create = (): void => this.#create(next);
      const remove = (): void =>
        disk.remove(this.#path, this.#space.guard("remove", this.#path, create));
      file.close(this.#space.guard("close", this.#path, remove));
      return;
    }
    this.#create(next);
  }

  #create(next: () => void): void {
    this.#space.disk.open(this.#path, "create", (error, file) => {
      if (this.#space.failed) return;
      if (error?.code === "ENOSPC") {
        this.#space.whenSpace(() => this.#create(next));
        return;
      }
      if (error !== null || file === null) {
        const cause = error ?? { code: "EIO", message: "no file" };
        this.#space.fail(diskFailed("create", this.#path, cause));
        return;
      }
      this.#file = file;
      this.#position = 0;
      this.#blockNumber = 0;
      this.#blockFilled = 0;
      this.#size = 0;
      this.#unsyncedBytes = 0;
      next();
    });
  }

  #append(chunk: SnapshotChunk, done: (finished: SnapshotFile | null) => void): void {
    const file = this.#file;
    if (file === null || chunk.offset !== this.#size) {
      throw new Error(
        `cannot write a chunk of the snapshot at index ${chunk.snapshot.index}: expected offset ` +
          `${file === null ? 0 : this.#size}, got ${chunk.offset}`,
      );
    }
    const pieces: Uint8Array[] = [];
    if (chunk.offset === 0) {
      const header = encodeSnapshotHeader({ ...this.#owner, metadata: chunk.snapshot });
      this.#headerBytes = header.length;
      pieces.push(header);
    }
    this.#takeBlocks(chunk.data, chunk.done, pieces);
    if (chunk.done) pieces.push(encodeFooter(this.#blockNumber, this.#size));
    const position = this.#position;
    for (const piece of pieces) {
      this.#position += piece.length;
      this.#unsyncedBytes += piece.length;
    }
    const finish = (): void => {
      if (!chunk.done) {
        done(null);
        return;
      }
      this.#file = null;
      const { snapshot } = chunk;
      done(new SnapshotFile(file, this.#path, snapshot, this.#headerBytes, this.#size));
    };
    const written = (): void => {
      if (!chunk.done && this.#unsyncedBytes < BYTES_PER_SYNC) {
        finish();
        return;
      }
      this.#unsyncedBytes = 0;
      file.sync(this.#space.guard("sync", this.#path, finish));
    };
    // A chunk too small for a block is kept: then nothing is written, but still in a later turn.
    this.#space.write(file, this.#path, pieces, position, written);
  }

  /**
   * Cuts `data` into blocks; the rest waits for more, unless it is the last. A block that lies in
   * `data` as a whole is written from there.
   */
  #takeBlocks(data: Uint8Array, last: boolean, pieces: Uint8Array[]): void {
    let at = 0;
    while (at < data.length) {
      const part = data.subarray(at, at + BLOCK_DATA_BYTES - this.#blockFilled);
      at += part.length;
      const isWhole = part.length === BLOCK_DATA_BYTES || (last && at === data.length);
      if (this.#blockFilled === 0 && isWhole) this.#pushBlock(part, pieces);
      else this.#gather(part, pieces);
    }
    this.#size += data.length;
    if (last && this.#blockFilled > 0) this.#pushGathered(pieces);
  }

  #gather(part: Uint8Array, pieces: Uint8Array[]): void {
    this.#block ??= new Uint8Array(BLOCK_DATA_BYTES);
    this.#block.set(part, this.#blockFilled);
    this.#blockFilled += part.length;
    if (this.#blockFilled === BLOCK_DATA_BYTES) this.#pushGathered(pieces);
  }

  #pushGathered(pieces: Uint8Array[]): void {
    if (this.#block !== null) this.#pushBlock(this.#block.subarray(0, this.#blockFilled), pieces);
    // The disk may still be reading this one.
    this.#block = null;
    this.#blockFilled = 0;
  }

  #pushBlock(data: Uint8Array, pieces: Uint8Array[]): void {
    pieces.push(blockPrefix(this.#blockNumber, data), data);
    this.#blockNumber += 1;
  }
}
