import { NO_DISK_FAULT } from "@raftarium/faults";
import type { DiskFault } from "@raftarium/faults";
import type { Disk, DiskError, DiskFile } from "@raftarium/storage";

const BROKEN: DiskError = { code: "EIO", message: "EIO: i/o error (injected)" };
const FULL: DiskError = { code: "ENOSPC", message: "ENOSPC: no space left (injected)" };

/** Runs `task` after this much cluster time, in milliseconds. */
export type Delay = (delayMs: number, task: () => void) => void;

/**
 * A gate before a disk's calls, for a node started for the playground. `set` a fault and it
 * holds for every call that begins from then on: added time before each sync; the next write
 * fails (once); what needs new space fails. Writes into space that is allocated already go on
 * when the disk is full, as on a real one.
 */
export class FaultyDisk implements Disk {
  readonly #disk: Disk;
  readonly #delay: Delay;
  #fault: DiskFault = NO_DISK_FAULT;

  constructor(disk: Disk, delay: Delay = (delayMs, task) => void setTimeout(task, delayMs)) {
    this.#disk = disk;
    this.#delay = delay;
  }

  get fault(): DiskFault {
    return this.#fault;
  }

  set(fault: DiskFault): void {
    this.#fault = fault;
  }

  open(
    path: string,
    mode: "create" | "existing",
    done: (error: DiskError | null, file: DiskFile | null) => void,
  ): void {
    if (mode === "create" && this.#fault.full) {
      setImmediate(() => done(FULL, null));
      return;
    }
    this.#disk.open(path, mode, (error, file) => {
      done(error, file === null ? null : new FaultyFile(file, this, this.#delay));
    });
  }

  allocate(file: DiskFile, size: number, done: (error: DiskError | null) => void): void {
    const faulty = file as FaultyFile;
    if (this.#fault.full && size > faulty.end) {
      setImmediate(() => done(FULL));
      return;
    }
    this.#disk.allocate(faulty.file, size, (error) => {
      if (error === null) faulty.end = Math.max(faulty.end, size);
      done(error);
    });
  }

  rename(from: string, to: string, done: (error: DiskError | null) => void): void {
    this.#disk.rename(from, to, done);
  }

  remove(path: string, done: (error: DiskError | null) => void): void {
    this.#disk.remove(path, done);
  }

  list(
    done: (
      error: DiskError | null,
      files: readonly { readonly path: string; readonly size: number }[],
    ) => void,
  ): void {
    this.#disk.list(done);
  }

  syncDirectory(done: (error: DiskError | null) => void): void {
    this.#disk.syncDirectory(done);
  }

  nowUs(): number {
    return this.#disk.nowUs();
  }

  /** True once after `fail` was set: that write is the one that fails. */
  takeFailure(): boolean {
    const { fail } = this.#fault;
    if (fail) this.#fault = { ...this.#fault, fail: false };
    return fail;
  }
}

class FaultyFile implements DiskFile {
  readonly file: DiskFile;
  /** Bytes known to be allocated. */
  end = 0;
  readonly #gate: FaultyDisk;
  readonly #delay: Delay;

  constructor(file: DiskFile, gate: FaultyDisk, delay: Delay) {
    this.file = file;
    this.#gate = gate;
    this.#delay = delay;
  }

  writeThrough(
    pieces: readonly Uint8Array[],
    position: number,
    done: (error: DiskError | null) => void,
  ): void {
    if (this.#gate.fault.delayMs > 0) {
      this.write(pieces, position, (error) => {
        if (error === null) this.sync(done);
        else done(error);
      });
      return;
    }
    this.#unlessFaulty(pieces, position, done, () =>
      this.file.writeThrough(pieces, position, done),
    );
  }

  write(
    pieces: readonly Uint8Array[],
    position: number,
    done: (error: DiskError | null) => void,
  ): void {
    this.#unlessFaulty(pieces, position, done, () => this.file.write(pieces, position, done));
  }

  /** Runs `write` if this write may succeed; else `done` is told why not. */
  #unlessFaulty(
    pieces: readonly Uint8Array[],
    position: number,
    done: (error: DiskError | null) => void,
    write: () => void,
  ): void {
    if (this.#gate.takeFailure()) {
      setImmediate(() => done(BROKEN));
      return;
    }
    const end = pieces.reduce((sum, piece) => sum + piece.length, position);
    if (!this.#gate.fault.full || end <= this.end) {
      this.end = Math.max(this.end, end);
      write();
      return;
    }
    // A file opened before the gate has seen it grow: ask how long it is.
    this.file.read(end - 1, 1, (error, data) => {
      if (error !== null || data.length !== 1) {
        done(FULL);
        return;
      }
      this.end = Math.max(this.end, end);
      write();
    });
  }

  sync(done: (error: DiskError | null) => void): void {
    const { delayMs } = this.#gate.fault;
    if (delayMs > 0) this.#delay(delayMs, () => this.file.sync(done));
    else this.file.sync(done);
  }

  truncate(size: number, done: (error: DiskError | null) => void): void {
    this.file.truncate(size, (error) => {
      if (error === null) this.end = Math.min(this.end, size);
      done(error);
    });
  }

  read(
    position: number,
    length: number,
    done: (error: DiskError | null, data: Uint8Array) => void,
  ): void {
    this.file.read(position, length, done);
  }

  close(done: (error: DiskError | null) => void): void {
    this.file.close(done);
  }
}
