import type { HardState, LogIndex, LogWrite, Term } from "@raftarium/node";

import { align8 } from "./bytes.ts";
import type { DiskFile } from "./disk.ts";
import { FRAME_HEADER_BYTES } from "./frame.ts";
import { segmentName } from "./names.ts";
import {
  ENTRY_HEADER_BYTES,
  FORMAT_VERSION,
  FrameBuilder,
  HARD_STATE_BYTES,
  encodeSegmentRecord,
} from "./records.ts";
import type { SegmentRecord } from "./records.ts";
import type { SnapshotOwner } from "./snapshot-format.ts";
import type { Space } from "./space.ts";
import type { TermRanges } from "./term-ranges.ts";

/** A segment that is on disk. */
export interface SegmentInfo {
  readonly sequence: number;
  readonly path: string;
  /** Bytes of the file. */
  bytes: number;
  /** The last entry in it; 0 without any. Entries before it with a higher index were replaced. */
  lastIndex: LogIndex;
}

interface OpenSegment {
  readonly info: SegmentInfo;
  readonly file: DiskFile;
}

/** Where recovery left the log. */
export interface LogStart {
  readonly segments: readonly SegmentInfo[];
  /** The last segment, to go on in; null: begin a new one. */
  readonly active: { readonly file: DiskFile; readonly end: number } | null;
  /** Where the frames of the last segment end, and their last checksum. */
  readonly previousEnd: number;
  readonly chain: number;
  readonly terms: TermRanges;
  readonly hardState: HardState;
}

/**
 * Appends frames to the newest segment, and goes on in the next one when it is full. One write
 * at a time: the owner waits for `done` before it calls again.
 *
 * Invariants: `#durable` ≤ `#position`; a watermark in a frame is never beyond what a completed
 * sync covered; the next segment is begun only after the one before is synced to its end.
 */
export class LogWriter {
  readonly terms: TermRanges;
  hardState: HardState;
  syncCount = 0;
  lastSyncUs = 0;
  readonly #space: Space;
  readonly #owner: SnapshotOwner;
  readonly #segmentBytes: number;
  readonly #segments: SegmentInfo[];
  readonly #builder = new FrameBuilder();
  #active: OpenSegment | null = null;
  /** Prepared ahead of time: allocated, its name durable, nothing in it. */
  #next: OpenSegment | null = null;
  #preparing = false;
  #onPrepared: (() => void) | null = null;
  #position = 0;
  #durable = 0;
  /** The watermark in the last frame written. */
  #marked = 0;
  #chain: number;
  #previousEnd: number;

  constructor(space: Space, owner: SnapshotOwner, segmentBytes: number, start: LogStart) {
    this.#space = space;
    this.#owner = owner;
    this.#segmentBytes = segmentBytes;
    this.#segments = [...start.segments];
    this.terms = start.terms;
    this.hardState = start.hardState;
    this.#chain = start.chain;
    this.#previousEnd = start.previousEnd;
    const last = this.#segments.at(-1);
    if (start.active !== null && last !== undefined) {
      this.#active = { info: last, file: start.active.file };
      this.#position = start.active.end;
      this.#durable = start.active.end;
    }
    space.want((done) => this.#provideNext(done));
  }

  get segments(): readonly SegmentInfo[] {
    return this.#segments;
  }

  get diskBytes(): number {
    let bytes = this.#next?.info.bytes ?? 0;
    for (const segment of this.#segments) bytes += segment.bytes;
    return bytes;
  }

  /** Runs `task` in a later turn. */
  defer(task: () => void): void {
    if (this.#active === null) throw new Error("cannot defer before the first segment is begun");
    this.#active.file.read(0, 0, () => task());
  }

  /** Begins a segment if there is none to go on in. */
  start(done: () => void): void {
    if (this.#active === null) this.append([], true, done);
    else done();
  }

  /** Bytes that these writes take in a frame, before padding. */
  static sizeOf(write: LogWrite): number {
    let size = write.hardState === null ? 0 : HARD_STATE_BYTES;
    for (const entry of write.entries) size += ENTRY_HEADER_BYTES + entry.data.length;
    return size;
  }

  /** Writes them in one frame; with `sync`, all of it is durable when `done` runs. */
  append(writes: readonly LogWrite[], sync: boolean, done: () => void): void {
    let size = 0;
    for (const write of writes) size += LogWriter.sizeOf(write);
    if (size === 0 && this.#active !== null) {
      // Nothing to write (a frame without records would be a mark), perhaps something to sync.
      if (sync && this.#durable < this.#position) this.sync(done);
      else this.defer(done);
      return;
    }
    this.#makeRoom(size, () => {
      for (const write of writes) this.#add(write);
      this.#writeFrame(sync, done);
    });
  }

  /** Empties the log, durably: the next entry follows (`index`, `term`). */
  reset(index: LogIndex, term: Term, done: () => void): void {
    this.#makeRoom(64, () => {
      this.#builder.addReset(index, term);
      this.terms.reset(index, term);
      this.#writeFrame(true, done);
    });
  }

  /** True if the last sync is not yet told to the disk by a later frame. */
  get unmarked(): boolean {
    return this.#durable > this.#marked && this.#durable === this.#position;
  }

  /** Says on disk how far the log is durable; the next frame is written over it. */
  mark(done: () => void): void {
    const active = this.#active;
    if (active === null || this.#position + FRAME_HEADER_BYTES > active.info.bytes) {
      this.#marked = this.#durable;
      this.defer(done);
      return;
    }
    this.#builder.begin();
    const frame = this.#builder.finish(this.#position, this.#durable, this.#chain);
    this.#marked = this.#durable;
    this.#space.write(active.file, active.info.path, [frame.bytes], this.#position, done);
  }

  /** Makes everything written durable, if it is not yet. */
  flush(done: () => void): void {
    if (this.#durable < this.#position) this.sync(done);
    else done();
  }

  /** Makes everything written durable. */
  sync(done: () => void): void {
    const active = this.#active;
    if (active === null) throw new Error("cannot sync before the first segment is begun");
    active.file.sync(this.#space.guard("sync", active.info.path, this.#synced(done)));
  }

  /** To be called once everything written up to now is durable. */
  #synced(done: () => void): () => void {
    const end = this.#position;
    const startUs = this.#space.disk.nowUs();
    return () => {
      this.#durable = end;
      this.syncCount += 1;
      this.lastSyncUs = this.#space.disk.nowUs() - startUs;
      done();
    };
  }

  /** Takes the segments that hold nothing beyond `throughIndex` off the list, oldest first. */
  takeObsolete(throughIndex: LogIndex): SegmentInfo[] {
    // While the beginning of the newest segment is not durable, the one before it is needed, too.
    const most = this.#segments.length - (this.#durable > 0 ? 1 : 2);
    let count = 0;
    while (count < most && this.#segments[count]!.lastIndex <= throughIndex) {
      count += 1;
    }
    return this.#segments.splice(0, count);
  }

  /** Closes the files. Nothing may be outstanding. */
  close(done: () => void): void {
    const files = [this.#active?.file, this.#next?.file].filter((file) => file !== undefined);
    const closeNext = (): void => {
      const file = files.pop();
      if (file === undefined) done();
      else file.close(() => closeNext());
    };
    closeNext();
  }

  /** Opens a segment ahead of time, so that going on in it costs nothing. */
  prepare(): void {
    this.#provideNext(() => undefined);
  }

  #add(write: LogWrite): void {
    const info = this.#active!.info;
    for (const entry of write.entries) {
      if (entry.index > this.terms.lastIndex + 1) {
        throw new Error(
          `cannot append entry ${entry.index}: expected at most ${this.terms.lastIndex + 1}`,
        );
      }
      this.#builder.addEntry(entry);
      this.terms.append(entry.index, entry.term);
      info.lastIndex = entry.index;
    }
    if (write.hardState !== null) {
      this.#builder.addHardState(write.hardState);
      this.hardState = write.hardState;
    }
  }

  #writeFrame(sync: boolean, done: () => void): void {
    const { file, info } = this.#active!;
    const frame = this.#builder.finish(this.#position, this.#durable, this.#chain);
    const position = this.#position;
    this.#position += frame.bytes.length;
    this.#chain = frame.chain;
    this.#marked = this.#durable;
    const allocated = this.#position <= info.bytes;
    if (!allocated) info.bytes = this.#position;
    // The first frame of a segment is always synced, before the segment after it is prepared: so
    // at most one segment without a beginning is ever found, and it follows the last one.
    const isFirst = position === 0;
    const finish = (): void => {
      if (isFirst) this.prepare();
      done();
    };
    const pieces = [frame.bytes];
    if (!sync && !isFirst) {
      this.#space.write(file, info.path, pieces, position, finish);
    } else if (this.#durable < position || !allocated) {
      // Frames before this one are not flushed yet, and only a sync of the file covers them, too;
      // or there may be no space for it, and then it must be told from a failed sync.
      this.#space.write(file, info.path, pieces, position, () => this.sync(finish));
    } else {
      const written = this.#space.guard("write", info.path, this.#synced(finish));
      file.writeThrough(pieces, position, written);
    }
  }

  /** Begins a frame with room for `size` bytes of records, in the next segment if need be. */
  #makeRoom(size: number, next: () => void): void {
    this.#builder.begin();
    const frameBytes = FRAME_HEADER_BYTES + align8(size);
    const active = this.#active;
    if (active !== null && this.#position + frameBytes <= active.info.bytes) {
      next();
      return;
    }
    const goOn = (): void => this.#beginSegment(frameBytes, next);
    if (active !== null && this.#durable < this.#position) this.sync(goOn);
    else goOn();
  }

  #beginSegment(frameBytes: number, next: () => void): void {
    const prepared = this.#next;
    if (prepared === null) {
      this.#onPrepared = () => this.#beginSegment(frameBytes, next);
      this.#provideNext(() => undefined);
      return;
    }
    const sequence = prepared.info.sequence;
    const record: SegmentRecord = {
      type: "segment",
      formatVersion: FORMAT_VERSION,
      nodeId: this.#owner.nodeId,
      sequence,
      lastIndex: this.terms.lastIndex,
      lastTerm: this.terms.lastTerm,
      previousEnd: this.#active === null ? this.#previousEnd : this.#position,
      cluster: this.#owner.cluster,
    };
    const needed = frameBytes + align8(encodeSegmentRecord(record).length + HARD_STATE_BYTES);
    if (needed > prepared.info.bytes) {
      this.#enlarge(prepared, needed, () => this.#beginSegment(frameBytes, next));
      return;
    }
    const old = this.#active;
    this.#next = null;
    this.#active = prepared;
    this.#segments.push(prepared.info);
    this.#position = 0;
    this.#durable = 0;
    this.#marked = 0;
    this.#builder.addSegment(record);
    this.#builder.addHardState(this.hardState);
    if (old !== null) {
      old.file.close(this.#space.guard("close", old.info.path, () => undefined));
    }
    next();
  }

  #enlarge(segment: OpenSegment, bytes: number, done: () => void): void {
    this.#space.disk.allocate(segment.file, bytes, (error) => {
      if (this.#space.failed) return;
      if (error?.code === "ENOSPC") {
        this.#space.whenSpace(() => this.#enlarge(segment, bytes, done));
        return;
      }
      this.#space.guard("allocate", segment.info.path, () => {
        segment.info.bytes = bytes;
        done();
      })(error);
    });
  }

  /** Has a next segment ready; `done(false)`: there is no space for one. */
  #provideNext(done: (present: boolean) => void): void {
    if (this.#next !== null || this.#preparing) {
      done(this.#next !== null);
      return;
    }
    this.#preparing = true;
    const sequence = (this.#segments.at(-1)?.sequence ?? 0) + 1;
    const path = segmentName(sequence);
    // Out of the reserve only a small segment can be made.
    const bytes = this.#space.writable
      ? this.#segmentBytes
      : Math.min(this.#segmentBytes, this.#space.smallSegmentBytes);
    this.#space.createFile(path, bytes, (file) => {
      this.#preparing = false;
      if (file !== null) {
        this.#next = { file, info: { sequence, path, bytes, lastIndex: 0 } };
      }
      done(file !== null);
      const waiting = this.#onPrepared;
      if (waiting === null) return;
      this.#onPrepared = null;
      if (file !== null) waiting();
      else this.#space.whenSpace(waiting);
    });
  }
}
