import { diskFailed } from "./errors.ts";
import type { StorageError } from "./errors.ts";
import type { Disk, DiskError, DiskFile } from "./disk.ts";
import { RESERVE_FILE } from "./names.ts";

/** While the disk is full, space is looked for again at every so many calls into storage. */
const CALLS_PER_RETRY = 4;

/**
 * What all parts of an open storage share: the disk, its end, and what to do when it is full.
 *
 * Any failed operation but "no space" ends storage: `onFatal` is called once, and nothing is
 * answered any more. No space is waited out: a write that was refused for it changed nothing
 * that was promised, so it is tried again, first after giving up the reserve file, then whenever
 * somebody calls. A sync that fails is never tried again, whatever the reason.
 */
export class Space {
  readonly disk: Disk;
  readonly #reserveBytes: number;
  readonly #onFatal: (error: StorageError) => void;
  #failed = false;
  #full = false;
  #patient = false;
  #reserve: "absent" | "changing" | "present" = "absent";
  #waiting: (() => void)[] = [];
  #callsSinceRetry = 0;
  /** Things to have again before the disk counts as writable: true when it is there. */
  readonly #wanted: ((done: (present: boolean) => void) => void)[] = [];
  #recovering = false;
  #creating = 0;
  /** Called when no file is being made any more. */
  onIdle: () => void = () => undefined;

  constructor(disk: Disk, reserveBytes: number, onFatal: (error: StorageError) => void) {
    this.disk = disk;
    this.#reserveBytes = reserveBytes;
    this.#onFatal = onFatal;
    this.#wanted.push((done) => this.#createReserve(done));
  }

  /** After the first failure nothing must be answered or begun. */
  get failed(): boolean {
    return this.#failed;
  }

  /** A file is being made in the background. */
  get creating(): boolean {
    return this.#creating > 0;
  }

  get writable(): boolean {
    return !this.#full && !this.#failed;
  }

  get reserveBytes(): number {
    return this.#reserve === "present" ? this.#reserveBytes : 0;
  }

  /** What a segment may take that is made of the space the reserve gave up. */
  get smallSegmentBytes(): number {
    return Math.floor((this.#reserveBytes * 3) / 32) * 8;
  }

  /** Registers something that must be there again before proposals are welcome again. */
  want(provide: (done: (present: boolean) => void) => void): void {
    this.#wanted.unshift(provide);
  }

  fail(error: StorageError): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#waiting = [];
    this.#onFatal(error);
  }

  /** Storage was closed: whatever is still on its way is not answered. */
  end(): void {
    this.#failed = true;
    this.#waiting = [];
  }

  /** Wraps a callback: an error ends storage, and `next` never runs after the end. */
  guard(operation: string, file: string, next: () => void): (error: DiskError | null) => void {
    return (error) => {
      if (this.#failed) return;
      if (error !== null) this.fail(diskFailed(operation, file, error));
      else next();
    };
  }

  /** The reserve file was found at start. */
  foundReserve(): void {
    this.#reserve = "present";
  }

  /** From now on storage is open: no space is waited for, and there is to be a reserve. */
  opened(): void {
    this.#patient = true;
    this.#createReserve(() => undefined);
  }

  /** Somebody waits for space that there is not. */
  get stuck(): boolean {
    return this.#waiting.length > 0;
  }

  /** A positioned write that waits for space if it must. */
  write(
    file: DiskFile,
    path: string,
    pieces: readonly Uint8Array[],
    position: number,
    next: () => void,
  ): void {
    file.write(pieces, position, (error) => {
      if (this.#failed) return;
      if (error?.code === "ENOSPC") {
        this.whenSpace(() => this.write(file, path, pieces, position, next));
      } else {
        this.guard("write", path, next)(error);
      }
    });
  }

  /** Call after ENOSPC: gives up the reserve, or waits, then runs `again`. */
  whenSpace(again: () => void): void {
    this.markFull();
    if (this.#reserve === "present") {
      this.#reserve = "changing";
      this.#removeReserve(() => {
        this.#reserve = "absent";
        again();
      });
    } else if (this.#patient) {
      this.#waiting.push(again);
    } else {
      const error = { code: "ENOSPC", message: "no space left on device" };
      this.fail(diskFailed("open", "the log", error));
    }
  }

  markFull(): void {
    this.#full = true;
  }

  /** Every call into storage comes by here: while the disk is full, some look for space. */
  poke(): void {
    if (!this.#full || this.#failed) return;
    this.#callsSinceRetry += 1;
    if (this.#callsSinceRetry < CALLS_PER_RETRY) return;
    this.#callsSinceRetry = 0;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const again of waiting) again();
    if (waiting.length === 0) this.#recover();
  }

  #recover(): void {
    if (this.#recovering) return;
    this.#recovering = true;
    const provide = (at: number): void => {
      const wanted = this.#wanted[at];
      if (wanted === undefined) {
        this.#recovering = false;
        this.#full = this.#waiting.length > 0;
        return;
      }
      wanted((present) => {
        if (present) provide(at + 1);
        else this.#recovering = false;
      });
    };
    provide(0);
  }

  #removeReserve(next: () => void): void {
    this.disk.remove(
      RESERVE_FILE,
      this.guard("remove", RESERVE_FILE, () =>
        this.disk.syncDirectory(this.guard("sync the directory of", RESERVE_FILE, next)),
      ),
    );
  }

  #createReserve(done: (present: boolean) => void): void {
    if (this.#reserve !== "absent") {
      done(this.#reserve === "present");
      return;
    }
    this.#reserve = "changing";
    this.createFile(RESERVE_FILE, this.#reserveBytes, (file) => {
      this.#reserve = file === null ? "absent" : "present";
      if (file === null) done(false);
      else file.close(this.guard("close", RESERVE_FILE, () => done(true)));
    });
  }

  /**
   * Makes a file of zeros whose bytes and name are durable. Null: there is no space (and nothing
   * is left of the attempt); the disk is marked full.
   */
  createFile(path: string, size: number, done: (file: DiskFile | null) => void): void {
    this.#creating += 1;
    const finish = (made: DiskFile | null): void => {
      this.#creating -= 1;
      done(made);
      if (this.#creating === 0) this.onIdle();
    };
    this.disk.open(path, "create", (error, file) => {
      if (this.#failed) return;
      if (error?.code === "ENOSPC") {
        this.markFull();
        finish(null);
        return;
      }
      if (error !== null || file === null) {
        this.fail(diskFailed("create", path, error ?? { code: "EIO", message: "no file" }));
        return;
      }
      this.#fillFile(path, file, size, finish);
    });
  }

  #fillFile(
    path: string,
    file: DiskFile,
    size: number,
    done: (file: DiskFile | null) => void,
  ): void {
    const syncAll = this.guard("allocate", path, () =>
      file.sync(
        this.guard("sync", path, () =>
          this.disk.syncDirectory(this.guard("sync the directory of", path, () => done(file))),
        ),
      ),
    );
    this.disk.allocate(file, size, (error) => {
      if (error?.code !== "ENOSPC") {
        syncAll(error);
        return;
      }
      if (this.#failed) return;
      this.markFull();
      const remove = this.guard("close", path, () =>
        this.disk.remove(
          path,
          this.guard("remove", path, () => done(null)),
        ),
      );
      file.close(remove);
    });
  }
}
