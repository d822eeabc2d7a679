/**
 * The durable half of a node: log, hard state and snapshots in one directory, behind a Disk.
 *
 *     openStorage({ disk, cluster: "demo", nodeId: 1, onFatal }, (error, storage) => {
 *       if (error !== null) throw new Error(error.message);
 *       startRaftNode(options, { storage, … }, …);
 *     });
 *
 * See the package's README for the files and for what is refused, and why.
 */
export { openStorage } from "./open.ts";
export type { StorageOptions } from "./open.ts";
export type { OpenedStorage } from "./storage.ts";
export type { StorageError, StorageErrorCode } from "./errors.ts";
export type * from "./disk.ts";
export { crc32c } from "./crc32c.ts";
export { MemoryDisk } from "./memory-disk.ts";
export type { MemoryDiskOptions } from "./memory-disk.ts";
export type { MemoryDiskOperation } from "./memory-file.ts";
export { provenRanges } from "./proven.ts";
export type { ByteRange } from "./proven.ts";
