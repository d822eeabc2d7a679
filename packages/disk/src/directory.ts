import * as fs from "node:fs";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { dirname, join, resolve } from "node:path";

import { NodeDisk } from "./node-disk.ts";

/** Why a data directory can't be used; the message is for people. */
export class DataDirectoryError extends Error {
  readonly code: "LOCKED" | "NOT_A_DIRECTORY" | "NO_PERMISSION" | "FAILED";

  constructor(code: DataDirectoryError["code"], message: string) {
    super(message);
    this.name = "DataDirectoryError";
    this.code = code;
  }
}

export interface OpenedDisk {
  readonly disk: NodeDisk;
  /** Gives the directory free. Also happens when the process ends, however it ends. */
  unlock(): void;
}

const LOCK_FILE = "lock";

/**
 * Makes the directory if it isn't there, checks that it can be written, and locks it against
 * other processes. `done` has a DataDirectoryError otherwise.
 */
export function openDisk(
  directory: string,
  done: (error: DataDirectoryError | null, opened: OpenedDisk | null) => void,
): void {
  const path = resolve(directory);
  fs.mkdir(path, { recursive: true, mode: 0o700 }, (mkdirError, firstMade) => {
    if (mkdirError !== null) {
      done(explain(path, mkdirError), null);
      return;
    }
    // A new directory's own name must be durable too, or a crash takes all that is in it.
    const begin = (): void =>
      fs.access(path, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK, (error) => {
        if (error !== null) done(explain(path, error), null);
        else lockDirectory(path, done);
      });
    if (firstMade === undefined) begin();
    else syncDirectories(dirname(path), dirname(firstMade), begin);
  });
}

/** Syncs `directory` and those above it up to `top`, as far as that is allowed. */
function syncDirectories(directory: string, top: string, next: () => void): void {
  const goOn = (): void => {
    if (directory === top || directory === dirname(directory)) next();
    else syncDirectories(dirname(directory), top, next);
  };
  new NodeDisk(directory).syncDirectory(goOn);
}

function explain(path: string, error: NodeJS.ErrnoException): DataDirectoryError {
  if (error.code === "EEXIST" || error.code === "ENOTDIR") {
    return new DataDirectoryError(
      "NOT_A_DIRECTORY",
      `cannot use data directory ${path}: expected a directory, found a file; ` +
        "move the file away or choose another dataDir",
    );
  }
  if (error.code === "EACCES" || error.code === "EPERM" || error.code === "EROFS") {
    return new DataDirectoryError(
      "NO_PERMISSION",
      `cannot use data directory ${path}: expected to be allowed to read and write, ` +
        `got ${error.code}; change its owner or mode, or choose another dataDir`,
    );
  }
  return new DataDirectoryError("FAILED", `cannot use data directory ${path}: ${error.message}`);
}

/**
 * Takes the directory for this process. Linux: an abstract socket named after the directory's
 * device and inode, which the kernel frees when the process ends (it is seen by all processes of
 * the same network namespace). Elsewhere: a file with the
 * process id, taken over when no such process lives.
 */
function lockDirectory(
  directory: string,
  done: (error: DataDirectoryError | null, opened: OpenedDisk | null) => void,
): void {
  fs.stat(directory, { bigint: true }, (error, stats) => {
    if (error !== null) {
      done(explain(directory, error), null);
    } else if (process.platform === "linux") {
      lockBySocket(directory, `\0raftarium-${stats.dev}-${stats.ino}`, done);
    } else {
      lockByFile(directory, done);
    }
  });
}

function locked(directory: string, by: string): DataDirectoryError {
  return new DataDirectoryError(
    "LOCKED",
    `cannot use data directory ${directory}: expected it to be free, ` +
      `but ${by} uses it; stop that one, or give this node a directory of its own`,
  );
}

function lockBySocket(
  directory: string,
  name: string,
  done: (error: DataDirectoryError | null, opened: OpenedDisk | null) => void,
): void {
  const server: Server = createServer((socket) => socket.destroy());
  server.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EADDRINUSE") done(locked(directory, "another process"), null);
    else done(new DataDirectoryError("FAILED", `cannot lock ${directory}: ${error.message}`), null);
  });
  server.listen({ path: name }, () => {
    // The lock must not keep the process alive.
    server.unref();
    done(null, { disk: new NodeDisk(directory), unlock: () => void server.close() });
  });
}

function lockByFile(
  directory: string,
  done: (error: DataDirectoryError | null, opened: OpenedDisk | null) => void,
): void {
  const path = join(directory, LOCK_FILE);
  fs.writeFile(path, String(process.pid), { flag: "wx" }, (error) => {
    if (error === null) {
      const unlock = (): void => fs.rmSync(path, { force: true });
      process.on("exit", unlock);
      done(null, { disk: new NodeDisk(directory), unlock });
      return;
    }
    if (error.code !== "EEXIST") {
      done(explain(directory, error), null);
      return;
    }
    fs.readFile(path, "utf8", (_, text) => {
      const pid = Number(text);
      if (isAlive(pid)) done(locked(directory, `process ${pid}`), null);
      else fs.rm(path, { force: true }, () => lockByFile(directory, done));
    });
  });
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
