/**
 * The state: every key's versions, newest first, as far back as the compacted revision. Writing
 * adds a version; reading at a revision walks back to the first version that is not newer.
 */
import { OrderedIndex } from "./ordered-index.ts";
import type { KeyValue } from "./types.ts";

export interface VersionFacts {
  /** null: a deletion. */
  readonly value: Uint8Array | null;
  /** 0 for a deletion; `version` too. */
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  /** Orders the versions made at one revision, from 0 up. */
  readonly order: number;
}

/** One version of one key. Serves as `KeyValue` and as a change. */
export interface Version extends VersionFacts {
  readonly entry: KeyEntry;
  readonly key: Uint8Array;
  /** null: none, or none that anybody may still ask for. Invariant: not newer than this one. */
  older: Version | null;
}

export type LiveVersion = Version & KeyValue;

export interface KeyEntry {
  /** `nameOf(key)`. */
  readonly name: string;
  readonly key: Uint8Array;
  /** null only until the first version is there. */
  newest: Version | null;
}

/** What a version costs besides its bytes, roughly, for `Store.byteCount`. */
const VERSION_BYTES = 64;
/** How many superseded versions one write lets go: more than it adds, so that none pile up. */
const PRUNED_PER_STEP = 64;

export class Store {
  /** Of the newest write. A fresh store is at 1, as etcd's is. */
  revision = 1;
  /** The oldest revision that may still be read. Invariant: never above `revision`. */
  compactedRevision = -1;
  /** Keys and values of all versions, and something for each version. */
  byteCount = 0;
  versionCount = 0;

  readonly #entries = new Map<string, KeyEntry>();
  readonly #index = new OrderedIndex<KeyEntry>();
  /** Versions in the order in which they were made; those before `#historyStart` are dealt with. */
  #history: Version[] = [];
  #historyStart = 0;
  #holdCount = 0;

  find(name: string): KeyEntry | undefined {
    return this.#entries.get(name);
  }

  /** Entries from `start` up to `end` (null: no end), dead ones too, until `visit` says false. */
  scan(start: string, end: string | null, visit: (entry: KeyEntry) => boolean): void {
    this.#index.scan(start, end, visit);
  }

  /** The key as it was at a revision; null if there was none. */
  at(entry: KeyEntry, revision: number): LiveVersion | null {
    let version = entry.newest;
    while (version !== null && version.modRevision > revision) version = version.older;
    return version !== null && version.value !== null ? (version as LiveVersion) : null;
  }

  /** `entry` undefined: the key is new, and copied. The value is kept as it is. */
  put(
    entry: KeyEntry | undefined,
    name: string,
    key: Uint8Array,
    value: Uint8Array,
    revision: number,
    order: number,
  ): Version {
    const before = entry === undefined ? null : entry.newest;
    const lives = before !== null && before.value !== null;
    return this.add(entry ?? { name, key: key.slice(), newest: null }, {
      value,
      createRevision: lives ? before.createRevision : revision,
      modRevision: revision,
      version: lives ? before.version + 1 : 1,
      order,
    });
  }

  /** The entry must be alive. */
  delete(entry: KeyEntry, revision: number, order: number): Version {
    const deletion = { value: null, createRevision: 0, modRevision: revision, version: 0, order };
    return this.add(entry, deletion);
  }

  /** A version newer than all of its key. */
  add(entry: KeyEntry, facts: VersionFacts): Version {
    const { value, createRevision, modRevision, version: count, order } = facts;
    const version: Version = {
      entry,
      key: entry.key,
      value,
      createRevision,
      modRevision,
      version: count,
      order,
      older: entry.newest,
    };
    if (entry.newest === null) {
      this.#entries.set(entry.name, entry);
      this.#index.insert(entry);
    }
    entry.newest = version;
    this.#history.push(version);
    this.versionCount += 1;
    this.byteCount += bytesOf(version);
    return version;
  }

  /** Reads below `revision` are refused from now on; the memory is freed bit by bit. */
  compact(revision: number): void {
    this.compactedRevision = revision;
  }

  /** Nothing that can be read now is freed until the returned function is called. */
  hold(): () => void {
    this.#holdCount += 1;
    let held = true;
    return () => {
      if (held) this.#holdCount -= 1;
      held = false;
    };
  }

  /**
   * Frees what nobody can read any more: of each key, whatever is older than its newest version at
   * the compacted revision, and that one too if it is a deletion. A little at each call.
   */
  prune(countMax = PRUNED_PER_STEP): void {
    if (this.#holdCount > 0) return;
    for (let count = 0; count < countMax; count += 1) {
      const version = this.#history[this.#historyStart];
      if (version === undefined || version.modRevision > this.compactedRevision) break;
      this.#historyStart += 1;
      this.#freeFrom(version.older);
      version.older = null;
      const { entry } = version;
      if (version.value !== null || entry.newest !== version) continue;
      this.#freeFrom(version);
      this.#entries.delete(entry.name);
      this.#index.remove(entry.name);
    }
    if (this.#historyStart > 1024 && this.#historyStart * 2 > this.#history.length) {
      this.#history = this.#history.slice(this.#historyStart);
      this.#historyStart = 0;
    }
  }

  #freeFrom(oldest: Version | null): void {
    for (let version = oldest; version !== null; version = version.older) {
      this.versionCount -= 1;
      this.byteCount -= bytesOf(version);
    }
  }

  /** After a restore: versions came in the order of their keys. */
  sortHistory(): void {
    this.#history = this.#history
      .slice(this.#historyStart)
      .toSorted((left, right) => left.modRevision - right.modRevision || left.order - right.order);
    this.#historyStart = 0;
  }
}

function bytesOf(version: Version): number {
  return VERSION_BYTES + version.key.length + (version.value?.length ?? 0);
}
