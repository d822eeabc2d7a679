import * as fs from "node:fs";
import { join } from "node:path";

import type { Disk, DiskError, DiskFile } from "@raftarium/storage";

import { toDiskError } from "./errors.ts";

/** Linux and macOS have it, Windows has not. */
const WRITE_THROUGH = (fs.constants.O_DSYNC as number | undefined) ?? 0;

/** Zeros are written in pieces of this size: small enough not to hold up other writes. */
const ZEROS = new Uint8Array(256 * 1024);

/** The Disk port on one directory of the file system. Callback API: measured faster than promises. */
export class NodeDisk implements Disk {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  open(
    path: string,
    mode: "create" | "existing",
    done: (error: DiskError | null, file: DiskFile | null) => void,
  ): void {
    const file = join(this.directory, path);
    fs.open(file, mode === "create" ? "wx+" : "r+", 0o600, (error, fd) => {
      if (error !== null) {
        done(toDiskError(error), null);
      } else if (WRITE_THROUGH === 0) {
        done(null, new NodeDiskFile(fd, null));
      } else {
        fs.open(file, fs.constants.O_WRONLY | WRITE_THROUGH, (failed, throughFd) => {
          if (failed === null) done(null, new NodeDiskFile(fd, throughFd));
          else fs.close(fd, () => done(toDiskError(failed), null));
        });
      }
    });
  }

  allocate(file: DiskFile, size: number, done: (error: DiskError | null) => void): void {
    (file as NodeDiskFile).allocate(size, done);
  }

  rename(from: string, to: string, done: (error: DiskError | null) => void): void {
    fs.rename(join(this.directory, from), join(this.directory, to), (error) => {
      done(toDiskError(error));
    });
  }

  remove(path: string, done: (error: DiskError | null) => void): void {
    fs.unlink(join(this.directory, path), (error) => done(toDiskError(error)));
  }

  list(
    done: (
      error: DiskError | null,
      files: readonly { readonly path: string; readonly size: number }[],
    ) => void,
  ): void {
    fs.readdir(this.directory, (error, names) => {
      if (error !== null) {
        done(toDiskError(error), []);
        return;
      }
      const files: { path: string; size: number }[] = [];
      const next = (at: number): void => {
        const path = names[at];
        if (path === undefined) {
          done(null, files);
          return;
        }
        fs.stat(join(this.directory, path), (statError, stats) => {
          if (statError === null) {
            if (stats.isFile()) files.push({ path, size: stats.size });
          } else if (statError.code !== "ENOENT") {
            done(toDiskError(statError), []);
            return;
          }
          next(at + 1);
        });
      };
      next(0);
    });
  }

  syncDirectory(done: (error: DiskError | null) => void): void {
    // Windows can't open a directory, and needs no flush of names.
    if (process.platform === "win32") {
      setImmediate(() => done(null));
      return;
    }
    fs.open(this.directory, "r", (openError, fd) => {
      if (openError !== null) {
        done(toDiskError(openError));
        return;
      }
      fs.fsync(fd, (syncError) => {
        fs.close(fd, (closeError) => done(toDiskError(syncError ?? closeError)));
      });
    });
  }

  nowUs(): number {
    return Number(process.hrtime.bigint() / 1000n);
  }
}

class NodeDiskFile implements DiskFile {
  readonly #fd: number;
  /** Opened so that each write is flushed before it completes; null where there is no such way. */
  readonly #throughFd: number | null;

  constructor(fd: number, throughFd: number | null) {
    this.#fd = fd;
    this.#throughFd = throughFd;
  }

  write(
    pieces: readonly Uint8Array[],
    position: number,
    done: (error: DiskError | null) => void,
  ): void {
    this.#write(this.#fd, pieces, position, done);
  }

  writeThrough(
    pieces: readonly Uint8Array[],
    position: number,
    done: (error: DiskError | null) => void,
  ): void {
    if (this.#throughFd !== null) {
      this.#write(this.#throughFd, pieces, position, done);
      return;
    }
    this.write(pieces, position, (error) => {
      if (error === null) this.sync(done);
      else done(error);
    });
  }

  #write(
    fd: number,
    pieces: readonly Uint8Array[],
    position: number,
    done: (error: DiskError | null) => void,
  ): void {
    if (pieces.length === 0) {
      setImmediate(() => done(null));
      return;
    }
    const written = (error: NodeJS.ErrnoException | null, count: number): void => {
      if (error !== null) {
        done(toDiskError(error));
        return;
      }
      const rest = dropBytes(pieces, count);
      if (rest.length === 0) done(null);
      else this.#write(fd, rest, position + count, done);
    };
    const first = pieces[0]!;
    if (pieces.length === 1) fs.write(fd, first, 0, first.length, position, written);
    else fs.writev(fd, pieces, position, written);
  }

  sync(done: (error: DiskError | null) => void): void {
    fs.fdatasync(this.#fd, (error) => done(toDiskError(error)));
  }

  truncate(size: number, done: (error: DiskError | null) => void): void {
    fs.ftruncate(this.#fd, size, (error) => done(toDiskError(error)));
  }

  read(
    position: number,
    length: number,
    done: (error: DiskError | null, data: Uint8Array) => void,
  ): void {
    const data = new Uint8Array(length);
    const readFrom = (at: number): void => {
      fs.read(this.#fd, data, at, length - at, position + at, (error, count) => {
        if (error !== null) done(toDiskError(error), new Uint8Array(0));
        else if (count === 0 || at + count === length) done(null, data.subarray(0, at + count));
        else readFrom(at + count);
      });
    };
    readFrom(0);
  }

  close(done: (error: DiskError | null) => void): void {
    const closeMain = (before: NodeJS.ErrnoException | null): void =>
      fs.close(this.#fd, (error) => done(toDiskError(before ?? error)));
    if (this.#throughFd === null) closeMain(null);
    else fs.close(this.#throughFd, closeMain);
  }

  /** Writes zeros from the end of the file to `size`: Node.js has no fallocate. */
  allocate(size: number, done: (error: DiskError | null) => void): void {
    const fill = (at: number): void => {
      if (at >= size) {
        done(null);
        return;
      }
      const piece = ZEROS.subarray(0, Math.min(ZEROS.length, size - at));
      this.write([piece], at, (error) => {
        if (error !== null) done(error);
        else fill(at + piece.length);
      });
    };
    fs.fstat(this.#fd, (error, stats) => {
      if (error !== null) done(toDiskError(error));
      else if (stats.size >= size) done(null);
      else fill(stats.size);
    });
  }
}

/** What is left of `pieces` after `count` bytes were written: writes may be short. */
function dropBytes(pieces: readonly Uint8Array[], count: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let skip = count;
  for (const piece of pieces) {
    if (skip >= piece.length) {
      skip -= piece.length;
    } else {
      rest.push(piece.subarray(skip));
      skip = 0;
    }
  }
  return rest;
}
