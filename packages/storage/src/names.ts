/** The names of storage's files in the data directory; everything else there is left alone. */

export const RESERVE_FILE = "reserve";
export const LOCAL_SNAPSHOT_TEMPORARY = "snapshot-local.tmp";
export const RECEIVED_SNAPSHOT_TEMPORARY = "snapshot-received.tmp";

export function segmentName(sequence: number): string {
  return `log-${String(sequence).padStart(10, "0")}`;
}

/** The sequence in a segment's name, or null for any other name. */
export function segmentSequence(name: string): number | null {
  const match = /^log-(\d{10,16})$/.exec(name);
  return match === null ? null : Number(match[1]);
}

export function snapshotName(index: number): string {
  return `snapshot-${String(index).padStart(16, "0")}`;
}

/** The index in a snapshot's name, or null for any other name. */
export function snapshotIndex(name: string): number | null {
  const match = /^snapshot-(\d{16})$/.exec(name);
  return match === null ? null : Number(match[1]);
}
