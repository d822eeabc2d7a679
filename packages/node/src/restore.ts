import type { LogIndex } from "@raftarium/raft";
import type { StateMachine, Storage } from "./ports.ts";

/** Bytes asked of storage at a time while a snapshot is read back. */
const PIECE_BYTES = 256 * 1024;

/**
 * Streams the durable snapshot at `index` into the state machine.
 *
 * @param done told whether there was such a snapshot; if not, the machine is as before.
 */
export function restoreMachine<Result>(
  storage: Storage,
  machine: StateMachine<Result>,
  index: LogIndex,
  done: (found: boolean) => void,
): void {
  const restoring = machine.restore();
  const next = (offset: number): void => {
    storage.readSnapshotChunk(index, offset, PIECE_BYTES, (data, last) => {
      if (data === null) {
        done(false);
        return;
      }
      restoring.write(data);
      if (last) {
        restoring.end();
        done(true);
      } else {
        next(offset + data.length);
      }
    });
  };
  next(0);
}
