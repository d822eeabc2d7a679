import type { SnapshotMetadata } from "@raftarium/node";

import type { Disk, DiskFile } from "./disk.ts";
import { corruptSnapshot, diskFailed, foreignData, unknownFormat } from "./errors.ts";
import type { StorageError } from "./errors.ts";
import { FORMAT_VERSION } from "./records.ts";
import {
  BLOCK_DATA_BYTES,
  BLOCK_PREFIX_BYTES,
  FOOTER_BYTES,
  HEADER_BYTES_MAX,
  HEADER_PREFIX_BYTES,
  blockLength,
  blockOffset,
  decodeFooter,
  decodeHeaderPrefix,
  decodeSnapshotHeader,
  isBlockValid,
} from "./snapshot-format.ts";
import type { SnapshotOwner } from "./snapshot-format.ts";

/** Blocks checked in one turn while opening: 1 MiB. */
const BLOCKS_PER_READ = 16;

/** A finished snapshot, open for reading. */
export class SnapshotFile {
  readonly metadata: SnapshotMetadata;
  /** Bytes of data in it. */
  readonly size: number;
  /** Bytes of the whole file. */
  readonly fileBytes: number;
  path: string;
  /** Somebody has read the beginning of it, and not yet the end. */
  streaming = false;
  readonly #file: DiskFile;
  readonly #headerBytes: number;
  #reads = 0;
  #closing: (() => void) | null = null;

  constructor(
    file: DiskFile,
    path: string,
    metadata: SnapshotMetadata,
    headerBytes: number,
    size: number,
  ) {
    this.#file = file;
    this.path = path;
    this.metadata = metadata;
    this.#headerBytes = headerBytes;
    this.size = size;
    this.fileBytes =
      headerBytes + size + Math.ceil(size / BLOCK_DATA_BYTES) * BLOCK_PREFIX_BYTES + FOOTER_BYTES;
  }

  /**
   * Reads up to `bytesMax` bytes of data from `offset` on; `last` with the end of the snapshot.
   * Every block that is touched is checked.
   */
  read(
    offset: number,
    bytesMax: number,
    done: (error: StorageError | null, data: Uint8Array, last: boolean) => void,
  ): void {
    const end = Math.min(this.size, offset + bytesMax);
    const last = end === this.size;
    const first = Math.floor(offset / BLOCK_DATA_BYTES);
    const count = end > offset ? Math.floor((end - 1) / BLOCK_DATA_BYTES) - first + 1 : 0;
    this.streaming = !last;
    this.#readBlocks(first, count, (error, blocks) => {
      if (error !== null) {
        done(error, new Uint8Array(0), false);
        return;
      }
      const data = new Uint8Array(Math.max(0, end - offset));
      let filled = 0;
      for (const block of blocks) {
        const start = filled === 0 ? offset - first * BLOCK_DATA_BYTES : 0;
        const part = block.subarray(start, Math.min(block.length, start + data.length - filled));
        data.set(part, filled);
        filled += part.length;
      }
      done(null, data, last);
    });
  }

  /** Checks every block, a megabyte at a time. */
  verify(done: (error: StorageError | null) => void): void {
    const blockCount = Math.ceil(this.size / BLOCK_DATA_BYTES);
    const step = (first: number): void => {
      if (first >= blockCount) {
        done(null);
        return;
      }
      const count = Math.min(BLOCKS_PER_READ, blockCount - first);
      this.#readBlocks(first, count, (error) => {
        if (error !== null) done(error);
        else step(first + count);
      });
    };
    step(0);
  }

  /** Closes once nobody reads any more. */
  close(done: () => void): void {
    this.#closing = done;
    this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    const done = this.#closing;
    if (done === null || this.#reads > 0) return;
    this.#closing = null;
    // It was only read: an error on closing loses nothing.
    this.#file.close(() => done());
  }

  #readBlocks(
    first: number,
    count: number,
    done: (error: StorageError | null, blocks: Uint8Array[]) => void,
  ): void {
    const start = blockOffset(this.#headerBytes, first);
    let length = 0;
    for (let number = first; number < first + count; number += 1) {
      length += BLOCK_PREFIX_BYTES + blockLength(this.size, number);
    }
    this.#reads += 1;
    this.#file.read(start, length, (error, bytes) => {
      this.#reads -= 1;
      if (error === null) this.#splitBlocks(bytes, first, count, done);
      else done(diskFailed("read", this.path, error), []);
      this.#closeIfIdle();
    });
  }

  #splitBlocks(
    bytes: Uint8Array,
    first: number,
    count: number,
    done: (error: StorageError | null, blocks: Uint8Array[]) => void,
  ): void {
    const blocks: Uint8Array[] = [];
    let at = 0;
    for (let number = first; number < first + count; number += 1) {
      const length = blockLength(this.size, number);
      if (!isBlockValid(bytes, at, number, length)) {
        const offset = blockOffset(this.#headerBytes, number);
        done(corruptSnapshot(this.path, offset, `the checksum of block ${number} is wrong`), []);
        return;
      }
      blocks.push(bytes.subarray(at + BLOCK_PREFIX_BYTES, at + BLOCK_PREFIX_BYTES + length));
      at += BLOCK_PREFIX_BYTES + length;
    }
    done(null, blocks);
  }
}

/** Opens a finished snapshot and checks all of it, and that it is this node's. */
export function openSnapshotFile(
  disk: Disk,
  path: string,
  fileBytes: number,
  owner: SnapshotOwner,
  done: (error: StorageError | null, snapshot: SnapshotFile | null) => void,
): void {
  disk.open(path, "existing", (openError, file) => {
    if (openError !== null || file === null) {
      const error = openError ?? { code: "EIO", message: "no file" };
      done(diskFailed("open", path, error), null);
      return;
    }
    const refuse = (error: StorageError): void => file.close(() => done(error, null));
    file.read(
      0,
      Math.min(fileBytes, HEADER_PREFIX_BYTES + HEADER_BYTES_MAX),
      (readError, bytes) => {
        if (readError !== null) {
          refuse(diskFailed("read", path, readError));
          return;
        }
        const header = checkHeader(path, bytes, owner);
        if ("code" in header) {
          refuse(header);
          return;
        }
        checkFooter(file, path, fileBytes, header.headerBytes, (error, size) => {
          if (error !== null) {
            refuse(error);
            return;
          }
          const snapshot = new SnapshotFile(file, path, header.metadata, header.headerBytes, size);
          snapshot.verify((damage) => {
            if (damage !== null) refuse(damage);
            else done(null, snapshot);
          });
        });
      },
    );
  });
}

function checkHeader(
  path: string,
  bytes: Uint8Array,
  owner: SnapshotOwner,
): { metadata: SnapshotMetadata; headerBytes: number } | StorageError {
  const prefix = decodeHeaderPrefix(bytes);
  if (prefix === null) return corruptSnapshot(path, 0, "it does not begin as a snapshot does");
  if (prefix.formatVersion !== FORMAT_VERSION) {
    return unknownFormat(path, FORMAT_VERSION, prefix.formatVersion);
  }
  const { headerBytes } = prefix;
  const header =
    headerBytes <= bytes.length ? decodeSnapshotHeader(bytes.subarray(0, headerBytes)) : null;
  if (header === null) return corruptSnapshot(path, 0, "the checksum of the header is wrong");
  if (header.cluster !== owner.cluster || header.nodeId !== owner.nodeId) {
    return foreignData(path, describeOwner(owner), describeOwner(header));
  }
  return { metadata: header.metadata, headerBytes };
}

export function describeOwner(owner: SnapshotOwner): string {
  return `node ${owner.nodeId} of cluster "${owner.cluster}"`;
}

function checkFooter(
  file: DiskFile,
  path: string,
  fileBytes: number,
  headerBytes: number,
  done: (error: StorageError | null, size: number) => void,
): void {
  const at = Math.max(0, fileBytes - FOOTER_BYTES);
  file.read(at, FOOTER_BYTES, (error, bytes) => {
    if (error !== null) {
      done(diskFailed("read", path, error), 0);
      return;
    }
    const footer = decodeFooter(bytes);
    const expected =
      footer === null
        ? -1
        : headerBytes + footer.blockCount * BLOCK_PREFIX_BYTES + footer.size + FOOTER_BYTES;
    if (footer === null || expected !== fileBytes) {
      done(corruptSnapshot(path, at, "the end of the file is missing or damaged"), 0);
    } else {
      done(null, footer.size);
    }
  });
}
