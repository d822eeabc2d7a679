import type { NodeId } from "@raftarium/node";

import type { Disk } from "./disk.ts";
import { diskFailed } from "./errors.ts";
import type { StorageError } from "./errors.ts";
import { LogWriter } from "./log-writer.ts";
import {
  LOCAL_SNAPSHOT_TEMPORARY,
  RECEIVED_SNAPSHOT_TEMPORARY,
  RESERVE_FILE,
  segmentSequence,
  snapshotIndex,
} from "./names.ts";
import { logStart, planRecovery, readSegment } from "./recovery.ts";
import type { RecoveryPlan, ScannedSegment } from "./recovery.ts";
import { openSnapshotFile } from "./snapshot-file.ts";
import type { SnapshotFile } from "./snapshot-file.ts";
import type { SnapshotOwner } from "./snapshot-format.ts";
import { SnapshotStore } from "./snapshot-store.ts";
import { Space } from "./space.ts";
import { LogStorage } from "./storage.ts";
import type { OpenedStorage } from "./storage.ts";

const SEGMENT_BYTES_DEFAULT = 4 * 1024 * 1024;
const RESERVE_BYTES_DEFAULT = 1024 * 1024;

export interface StorageOptions {
  readonly disk: Disk;
  /** Written into every file; a directory of another cluster or node is refused. */
  readonly cluster: string;
  readonly nodeId: NodeId;
  /** Size of a log file, allocated ahead. At least 4096. Default 4 MiB. */
  readonly segmentBytes?: number;
  /** Size of the file given up when the disk is full. Default 1 MiB. */
  readonly reserveBytes?: number;
  /**
   * The first failed write or sync: the process must end (design 4.13). Called at most once,
   * after which storage answers nothing any more.
   */
  readonly onFatal: (error: StorageError) => void;
}

interface Files {
  readonly segments: { sequence: number; path: string; bytes: number; lastIndex: number }[];
  readonly snapshots: { index: number; path: string; bytes: number }[];
  readonly temporary: string[];
  reserveFileBytes: number | null;
}

/**
 * Opens the data directory behind `disk`: reads back what was durable, cuts off a torn tail,
 * removes what a crash left unfinished, and refuses anything it can't vouch for. `done` is
 * called once, in a later turn, with an error or with the storage.
 */
export function openStorage(
  options: StorageOptions,
  done: (error: StorageError | null, storage: OpenedStorage | null) => void,
): void {
  new Opening(options, done).begin();
}

class Opening {
  readonly #options: StorageOptions;
  readonly #owner: SnapshotOwner;
  readonly #space: Space;
  readonly #scanned: ScannedSegment[] = [];
  #snapshot: SnapshotFile | null = null;
  #done: ((error: StorageError | null, storage: OpenedStorage | null) => void) | null;

  constructor(
    options: StorageOptions,
    done: (error: StorageError | null, storage: OpenedStorage | null) => void,
  ) {
    this.#options = options;
    this.#owner = { cluster: options.cluster, nodeId: options.nodeId };
    this.#done = done;
    const reserveBytes = options.reserveBytes ?? RESERVE_BYTES_DEFAULT;
    this.#space = new Space(options.disk, reserveBytes, (error) => {
      if (this.#done === null) options.onFatal(error);
      else this.#refuse(error);
    });
  }

  begin(): void {
    const { disk } = this.#options;
    disk.list((error, list) => {
      if (error !== null) {
        this.#refuse(diskFailed("list", "the data directory", error));
        return;
      }
      const files = sortFiles(list);
      const newest = files.snapshots.at(-1);
      if (newest === undefined) {
        this.#readSegments(files);
        return;
      }
      openSnapshotFile(disk, newest.path, newest.bytes, this.#owner, (refusal, snapshot) => {
        this.#snapshot = snapshot;
        if (refusal !== null) this.#refuse(refusal);
        else this.#readSegments(files);
      });
    });
  }

  #readSegments(files: Files): void {
    const info = files.segments[this.#scanned.length];
    if (info === undefined) {
      this.#plan(files);
      return;
    }
    readSegment(this.#options.disk, info, (error, segment) => {
      if (segment === null) {
        this.#refuse(error!);
        return;
      }
      this.#scanned.push(segment);
      this.#readSegments(files);
    });
  }

  #plan(files: Files): void {
    const hasReserve = files.reserveFileBytes !== null;
    const plan = planRecovery(this.#owner, this.#scanned, this.#snapshot, hasReserve);
    if ("code" in plan) {
      this.#refuse(plan);
      return;
    }
    const reserveBytes = this.#options.reserveBytes ?? RESERVE_BYTES_DEFAULT;
    const removable = [
      ...plan.removable.map((segment) => segment.info.path),
      ...files.temporary,
      ...files.snapshots.slice(0, -1).map((snapshot) => snapshot.path),
    ];
    if ((files.reserveFileBytes ?? reserveBytes) < reserveBytes) removable.push(RESERVE_FILE);
    else if (hasReserve) this.#space.foundReserve();
    this.#cut(plan, () =>
      this.#closeSealed(plan, () => this.#remove(removable, () => this.#startLog(plan))),
    );
  }

  /** What was read back may be in the page cache only: sync it before anybody relies on it. */
  #cut(plan: RecoveryPlan, next: () => void): void {
    const last = plan.segments.at(-1);
    if (last === undefined) {
      next();
      return;
    }
    const { file, info } = last;
    const sync = (): void => file.sync(this.#space.guard("sync", info.path, next));
    if (plan.torn === null) {
      sync();
      return;
    }
    info.bytes = plan.torn.offset;
    file.truncate(plan.torn.offset, this.#space.guard("truncate", info.path, sync));
  }

  #closeSealed(plan: RecoveryPlan, next: () => void): void {
    const last = plan.segments.at(-1);
    const sealed = this.#scanned.filter((segment) => segment !== last);
    const closeNext = (): void => {
      const segment = sealed.pop();
      if (segment === undefined) next();
      else segment.file.close(this.#space.guard("close", segment.info.path, closeNext));
    };
    closeNext();
  }

  #remove(paths: readonly string[], next: () => void): void {
    const { disk } = this.#options;
    const removeFrom = (at: number): void => {
      const path = paths[at];
      if (path !== undefined) {
        disk.remove(
          path,
          this.#space.guard("remove", path, () => removeFrom(at + 1)),
        );
      } else {
        // Also for a name that a crash left in the cache: what is used must stay.
        disk.syncDirectory(this.#space.guard("sync", "the data directory", next));
      }
    };
    removeFrom(0);
  }

  #startLog(plan: RecoveryPlan): void {
    const segmentBytes = Math.max(4096, this.#options.segmentBytes ?? SEGMENT_BYTES_DEFAULT);
    const log = new LogWriter(this.#space, this.#owner, segmentBytes, logStart(plan));
    const finish = (): void => this.#finish(plan, log, segmentBytes);
    // What was read back is synced by now: said on disk, later damage to it can be told.
    const mark = (): void => (log.unmarked ? log.mark(finish) : finish());
    log.start(() => {
      if (!plan.mustReset || this.#snapshot === null) {
        mark();
        return;
      }
      const { index, term } = this.#snapshot.metadata;
      log.reset(index, term, mark);
    });
  }

  #finish(plan: RecoveryPlan, log: LogWriter, segmentBytes: number): void {
    const storage = new LogStorage({
      space: this.#space,
      owner: this.#owner,
      log,
      snapshots: new SnapshotStore(this.#space, this.#snapshot),
      segmentBytes,
      recovered: plan.state,
      torn: plan.torn,
    });
    const done = this.#done!;
    this.#done = null;
    this.#space.opened();
    log.prepare();
    done(null, storage);
  }

  #refuse(error: StorageError): void {
    const done = this.#done;
    this.#done = () => undefined;
    const files = this.#scanned.map((segment) => segment.file);
    const closeNext = (): void => {
      const file = files.pop();
      if (file !== undefined) file.close(() => closeNext());
      else if (this.#snapshot !== null) this.#snapshot.close(() => done?.(error, null));
      else done?.(error, null);
    };
    closeNext();
  }
}

function sortFiles(list: readonly { readonly path: string; readonly size: number }[]): Files {
  const files: Files = { segments: [], snapshots: [], temporary: [], reserveFileBytes: null };
  for (const { path, size } of list) {
    const sequence = segmentSequence(path);
    const index = snapshotIndex(path);
    if (sequence !== null) files.segments.push({ sequence, path, bytes: size, lastIndex: 0 });
    else if (index !== null) files.snapshots.push({ index, path, bytes: size });
    else if (path === RESERVE_FILE) files.reserveFileBytes = size;
    else if (path === LOCAL_SNAPSHOT_TEMPORARY || path === RECEIVED_SNAPSHOT_TEMPORARY) {
      files.temporary.push(path);
    }
  }
  files.segments.sort((a, b) => a.sequence - b.sequence);
  files.snapshots.sort((a, b) => a.index - b.index);
  return files;
}
