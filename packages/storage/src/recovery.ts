import type { Entry, HardState, RecoveredState } from "@raftarium/node";

import type { Disk, DiskFile } from "./disk.ts";
import {
  corruptLog,
  diskFailed,
  foreignData,
  missingLog,
  snapshotGap,
  unknownFormat,
} from "./errors.ts";
import type { StorageError } from "./errors.ts";
import type { LogStart, SegmentInfo } from "./log-writer.ts";
import { segmentName } from "./names.ts";
import { FORMAT_VERSION } from "./records.ts";
import type { LogRecord } from "./records.ts";
import { scanSegment } from "./segment-scan.ts";
import type { SegmentScan } from "./segment-scan.ts";
import { describeOwner } from "./snapshot-file.ts";
import type { SnapshotFile } from "./snapshot-file.ts";
import type { SnapshotOwner } from "./snapshot-format.ts";
import { TermRanges } from "./term-ranges.ts";

/** A segment file, read and scanned. */
export interface ScannedSegment {
  readonly info: SegmentInfo;
  readonly file: DiskFile;
  readonly scan: SegmentScan;
}

/** A torn tail that is to be cut off, or was. */
export interface TornTail {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

/** What the files say together; nothing has been changed yet. */
export interface RecoveryPlan {
  /** The segments that make up the log, in order. */
  readonly segments: readonly ScannedSegment[];
  /** Prepared and never begun, or left over from a removal: to be removed. */
  readonly removable: readonly ScannedSegment[];
  readonly torn: TornTail | null;
  readonly state: RecoveredState;
  readonly terms: TermRanges;
  readonly hardState: HardState;
  /** The log doesn't hold the snapshot's last entry: it must be emptied before anything else. */
  readonly mustReset: boolean;
}

const READ_BYTES = 1024 * 1024;

/** Reads a whole file, a megabyte at a time. */
export function readSegment(
  disk: Disk,
  info: SegmentInfo,
  done: (error: StorageError | null, segment: ScannedSegment | null) => void,
): void {
  disk.open(info.path, "existing", (openError, file) => {
    if (openError !== null || file === null) {
      const error = openError ?? { code: "EIO", message: "no file" };
      done(diskFailed("open", info.path, error), null);
      return;
    }
    const bytes = new Uint8Array(info.bytes);
    const readFrom = (at: number): void => {
      if (at >= bytes.length) {
        done(null, { info, file, scan: scanSegment(bytes) });
        return;
      }
      file.read(at, Math.min(READ_BYTES, bytes.length - at), (error, part) => {
        if (error !== null) {
          done(diskFailed("read", info.path, error), null);
          return;
        }
        bytes.set(part, at);
        readFrom(part.length === 0 ? bytes.length : at + part.length);
      });
    };
    readFrom(0);
  });
}

/**
 * Decides what the log is. `all` are the segment files in ascending order, `hasReserve` tells
 * that this directory was in use before.
 */
export function planRecovery(
  owner: SnapshotOwner,
  all: readonly ScannedSegment[],
  snapshot: SnapshotFile | null,
  hasReserve: boolean,
): RecoveryPlan | StorageError {
  for (const segment of all) {
    const foreign = checkOwner(segment, owner);
    if (foreign !== null) return foreign;
  }
  let begun = all.length;
  while (begun > 0 && all[begun - 1]!.scan.segment === null) {
    const { info, scan } = all[begun - 1]!;
    if (scan.evidence !== null) return damaged(info, scan);
    begun -= 1;
  }
  const prepared = all[begun]?.info;
  const last = all[begun - 1]?.info.sequence ?? 0;
  if (prepared !== undefined && prepared.sequence !== last + 1) {
    return missingLog(segmentName(prepared.sequence - 1), `${prepared.path} was made after it`);
  }
  if (begun === 0) {
    if (snapshot !== null || hasReserve) {
      return missingLog("log-*", "without it this node can't know its term and its vote");
    }
    return planEmpty(all);
  }
  const run = lastRun(all, begun);
  const broken = checkRun(run);
  if (broken !== null) return broken;
  const removable = [...all.slice(0, begun - run.length), ...all.slice(begun)];
  return replay(run, removable, snapshot);
}

function planEmpty(removable: readonly ScannedSegment[]): RecoveryPlan {
  const hardState = { term: 0, votedFor: null, commitIndex: 0 };
  return {
    segments: [],
    removable,
    torn: null,
    state: { hardState, snapshot: null, entries: [] },
    terms: new TermRanges(0, 0),
    hardState,
    mustReset: false,
  };
}

function checkOwner({ info, scan }: ScannedSegment, owner: SnapshotOwner): StorageError | null {
  const { segment } = scan;
  if (segment === null) return null;
  if (segment.formatVersion !== FORMAT_VERSION) {
    return unknownFormat(info.path, FORMAT_VERSION, segment.formatVersion);
  }
  if (segment.cluster !== owner.cluster || segment.nodeId !== owner.nodeId) {
    return foreignData(info.path, describeOwner(owner), describeOwner(segment));
  }
  if (segment.sequence !== info.sequence) {
    const reason = `expected segment ${info.sequence}, found segment ${segment.sequence}`;
    return corruptLog(info.path, 0, reason);
  }
  return null;
}

/**
 * The segments up to the last begun one without a gap in their sequence. What is before a gap
 * is left over from a compaction whose removals became durable in another order, unless the log
 * turns out not to reach back to the snapshot.
 */
function lastRun(all: readonly ScannedSegment[], begun: number): readonly ScannedSegment[] {
  let first = begun - 1;
  while (first > 0 && all[first - 1]!.info.sequence === all[first]!.info.sequence - 1) first -= 1;
  return all.slice(first, begun);
}

function damaged(info: SegmentInfo, scan: SegmentScan): StorageError {
  const { evidence } = scan;
  const proof =
    evidence === null
      ? ""
      : `, and byte ${evidence.offset} says that all before byte ${evidence.watermark} was synced`;
  return corruptLog(info.path, scan.end, scan.reason + proof);
}

/** Each segment but the last must end exactly where the next one says that it does. */
function checkRun(run: readonly ScannedSegment[]): StorageError | null {
  for (let at = 0; at < run.length; at += 1) {
    const { info, scan } = run[at]!;
    const follower = run[at + 1]?.scan;
    if (scan.evidence !== null) return damaged(info, scan);
    if (follower === undefined) continue;
    const segment = follower.segment;
    if (scan.segment === null || segment === null || segment.previousEnd !== scan.end) {
      const expected = segment?.previousEnd ?? "more";
      const reason = `${scan.reason}; expected ${expected} bytes of frames, found ${scan.end}`;
      return corruptLog(info.path, scan.end, reason);
    }
    if (follower.previousChain !== scan.chain) {
      const reason =
        `the next segment follows checksum ${follower.previousChain}, ` +
        `this one ends with ${scan.chain}`;
      return corruptLog(info.path, scan.end, reason);
    }
  }
  return null;
}

/** Plays the records of all segments, one after the other. */
function replay(
  run: readonly ScannedSegment[],
  removable: readonly ScannedSegment[],
  snapshot: SnapshotFile | null,
): RecoveryPlan | StorageError {
  const opening = run[0]!.scan.segment!;
  const log = new Replay(opening.lastIndex, opening.lastTerm);
  for (const { info, scan } of run) {
    for (const record of scan.records) {
      const problem = log.take(record, info);
      if (problem !== null) return corruptLog(info.path, scan.end, problem);
    }
  }
  const last = run.at(-1)!;
  const torn = last.scan.dirty
    ? {
        file: last.info.path,
        offset: last.scan.end,
        bytes: last.info.bytes - last.scan.end,
      }
    : null;
  return connect(log, run, removable, torn, snapshot);
}

class Replay {
  readonly terms: TermRanges;
  hardState: HardState = { term: 0, votedFor: null, commitIndex: 0 };
  entries: Entry[] = [];

  constructor(baseIndex: number, baseTerm: number) {
    this.terms = new TermRanges(baseIndex, baseTerm);
  }

  /** Returns what is wrong with the record, or null. */
  take(record: LogRecord, info: SegmentInfo): string | null {
    switch (record.type) {
      case "segment":
        return "a segment record inside a segment";
      case "hard-state":
        this.hardState = record.hardState;
        return null;
      case "reset":
        this.terms.reset(record.index, record.term);
        this.entries = [];
        return null;
      case "entry": {
        const { index, term } = record.entry;
        if (index > this.terms.lastIndex + 1) {
          return `expected entry ${this.terms.lastIndex + 1} or one before it, found ${index}`;
        }
        this.terms.append(index, term);
        this.entries.length = index - this.terms.baseIndex - 1;
        this.entries.push(record.entry);
        info.lastIndex = index;
        return null;
      }
    }
  }
}

/** Joins snapshot and log: what a snapshot covers is dropped, and so is a log that contradicts it. */
function connect(
  log: Replay,
  segments: readonly ScannedSegment[],
  removable: readonly ScannedSegment[],
  torn: TornTail | null,
  snapshot: SnapshotFile | null,
): RecoveryPlan | StorageError {
  const { terms } = log;
  const index = snapshot?.metadata.index ?? 0;
  const term = snapshot?.metadata.term ?? 0;
  if (terms.baseIndex > index) {
    const first = segments[0]!.info;
    if (first.sequence > 1 && snapshot === null) {
      return missingLog(
        `the file before ${first.path}`,
        `the log starts with entry ${terms.baseIndex + 1} and there is no snapshot`,
      );
    }
    const reason =
      `the log starts with entry ${terms.baseIndex + 1}, expected at most ${index + 1}, ` +
      (snapshot === null ? "since there is no snapshot" : `which follows ${snapshot.path}`);
    return snapshotGap(first.path, reason);
  }
  const known = terms.termAt(index);
  const holds = index <= terms.lastIndex && (known === null || known === term);
  const entries = holds ? log.entries.slice(index - terms.baseIndex) : [];
  if (!holds) terms.reset(index, term);
  const { hardState } = log;
  const commitIndex = Math.min(Math.max(hardState.commitIndex, index), terms.lastIndex);
  return {
    segments,
    removable,
    torn,
    state: {
      hardState: { ...hardState, commitIndex },
      snapshot: snapshot?.metadata ?? null,
      entries,
    },
    terms,
    hardState,
    mustReset: !holds,
  };
}

/** Where the log goes on, once the plan is carried out. */
export function logStart(plan: RecoveryPlan): LogStart {
  const last = plan.segments.at(-1);
  const end = last?.scan.end ?? 0;
  return {
    segments: plan.segments.map((segment) => segment.info),
    active: last === undefined ? null : { file: last.file, end },
    previousEnd: end,
    chain: last?.scan.chain ?? 0,
    terms: plan.terms,
    hardState: plan.hardState,
  };
}
