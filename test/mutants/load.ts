/** Patches a copy of a package's source and loads the copy. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Sabotage } from "@raftarium/simulator";
import type { Mutant } from "./mutants.ts";

const PACKAGES = new URL("../../packages/", import.meta.url);

export interface Patch {
  /** Relative to the package's `src`. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly from: string;
  readonly to: string;
}

export interface LoadedPackage extends Disposable {
  /** What the package's `index.ts` exports. */
  readonly exports: unknown;
}

export interface LoadedMutant extends Disposable {
  readonly sabotage: Sabotage;
}

/** @throws Error if a patch does not fit the files in `src` (any more). */
export function patchSources(
  src: string,
  packageName: string,
  patches: readonly Patch[],
  title: string,
): void {
  for (const { file, from, to } of patches) {
    const path = join(src, file);
    const parts = readFileSync(path, "utf8").split(from);
    if (parts.length !== 2) {
      throw new Error(
        `cannot patch "${title}": expected ${file} of ${packageName} ` +
          `to have this once, found it ${parts.length - 1} times: ${from}`,
      );
    }
    writeFileSync(path, parts.join(to));
  }
}

/** @throws Error if a patch does not fit the source any more; it names the patches by `title`. */
export async function loadPatched(
  packageName: string,
  patches: readonly Patch[],
  title: string,
): Promise<LoadedPackage> {
  const directory = mkdtempSync(join(tmpdir(), "raftarium-mutant-"));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  try {
    const home = new URL(`${packageName}/`, PACKAGES).pathname;
    cpSync(join(home, "src"), join(directory, "src"), { recursive: true });
    symlinkSync(join(home, "node_modules"), join(directory, "node_modules"));
    writeFileSync(join(directory, "package.json"), '{ "type": "module" }\n');
    patchSources(join(directory, "src"), packageName, patches, title);
    const url = pathToFileURL(join(directory, "src/index.ts")).href;
    const exports: unknown = await import(/* @vite-ignore */ url);
    return { exports, [Symbol.dispose]: remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** @throws Error if a patch does not fit the source any more. */
export async function loadMutant(mutant: Mutant): Promise<LoadedMutant> {
  const loaded = await loadPatched(mutant.packageName, mutant.patches, mutant.bug);
  try {
    const sabotage = pick(mutant, loaded.exports as Sabotage);
    return { sabotage, [Symbol.dispose]: () => loaded[Symbol.dispose]() };
  } catch (error) {
    loaded[Symbol.dispose]();
    throw error;
  }
}

function pick({ packageName }: Mutant, loaded: Sabotage): Sabotage {
  switch (packageName) {
    case "raft":
      return { createRaft: present(loaded.createRaft) };
    case "node":
      return {
        startRaftNode: present(loaded.startRaftNode),
        withSessions: present(loaded.withSessions),
      };
    case "storage":
      return { openStorage: present(loaded.openStorage) };
    case "kv":
      return { createKv: present(loaded.createKv) };
  }
}

function present<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new Error("expected the package to export its part, found none");
  return part;
}
