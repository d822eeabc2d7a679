import type { LogIndex } from "@raftarium/node";

import { snapshotName } from "./names.ts";
import type { SnapshotFile } from "./snapshot-file.ts";
import type { Space } from "./space.ts";

/**
 * The finished snapshots: the current one, and the one before it for as long as a peer is in the
 * middle of reading it.
 */
export class SnapshotStore {
  readonly #space: Space;
  #current: SnapshotFile | null;
  #previous: SnapshotFile | null = null;
  #installing = false;
  readonly #waiting: (() => void)[] = [];

  constructor(space: Space, current: SnapshotFile | null) {
    this.#space = space;
    this.#current = current;
  }

  /** 0: there is no snapshot. */
  get currentIndex(): LogIndex {
    return this.#current?.metadata.index ?? 0;
  }

  get diskBytes(): number {
    return (this.#current?.fileBytes ?? 0) + (this.#previous?.fileBytes ?? 0);
  }

  /**
   * Makes a finished, synced snapshot the current one: its name is durable when `done` runs. One
   * that is not newer than the current one is thrown away instead.
   */
  install(finished: SnapshotFile, done: () => void): void {
    if (this.#installing) {
      this.#waiting.push(() => this.install(finished, done));
      return;
    }
    this.#installing = true;
    const end = (): void => {
      this.#installing = false;
      done();
      this.#waiting.shift()?.();
    };
    if (finished.metadata.index <= this.currentIndex) this.#discard(finished, end);
    else this.#rename(finished, end);
  }

  /** See the Storage port. */
  read(
    index: LogIndex,
    offset: number,
    bytesMax: number,
    done: (data: Uint8Array | null, last: boolean) => void,
  ): boolean {
    const snapshot = [this.#current, this.#previous].find((one) => one?.metadata.index === index);
    if (snapshot === undefined || snapshot === null) return false;
    snapshot.read(offset, bytesMax, (error, data, last) => {
      if (this.#space.failed) return;
      if (error !== null) {
        this.#space.fail(error);
        return;
      }
      done(data, last);
      if (last && snapshot === this.#previous) {
        this.#previous = null;
        this.#discard(snapshot, () => undefined);
      }
    });
    return true;
  }

  close(done: () => void): void {
    const files = [this.#current, this.#previous].filter((file) => file !== null);
    const closeNext = (): void => {
      const file = files.pop();
      if (file === undefined) done();
      else file.close(closeNext);
    };
    closeNext();
  }

  #rename(finished: SnapshotFile, done: () => void): void {
    const { disk } = this.#space;
    const from = finished.path;
    const to = snapshotName(finished.metadata.index);
    const current = this.#space.guard("sync the directory of", to, () => {
      finished.path = to;
      this.#replace(finished);
      done();
    });
    const renamed = this.#space.guard("rename", from, () => disk.syncDirectory(current));
    disk.rename(from, to, renamed);
  }

  #replace(next: SnapshotFile): void {
    const old = this.#current;
    this.#current = next;
    if (old === null) return;
    const { streaming } = old;
    const gone = streaming ? this.#previous : old;
    if (streaming) this.#previous = old;
    if (gone !== null) this.#discard(gone, () => undefined);
  }

  /** Removes its file. Needs no sync of the directory: a file that comes back is removed again. */
  #discard(snapshot: SnapshotFile, done: () => void): void {
    const { path } = snapshot;
    snapshot.close(() => {
      if (this.#space.failed) return;
      this.#space.disk.remove(path, this.#space.guard("remove", path, done));
    });
  }
}
