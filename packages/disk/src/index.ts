/**
 * A data directory on the file system, for storage.
 *
 *     openDisk("/var/lib/raftarium/node-1", (error, opened) => {
 *       if (error !== null) throw error;
 *       openStorage({ disk: opened.disk, cluster: "demo", nodeId: 1, onFatal }, …);
 *     });
 */
export { DataDirectoryError, openDisk } from "./directory.ts";
export type { OpenedDisk } from "./directory.ts";
export { NodeDisk } from "./node-disk.ts";
export { FaultyDisk } from "./faulty-disk.ts";
export type { Delay } from "./faulty-disk.ts";
