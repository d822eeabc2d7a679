/** What a kept directory says of its nodes: they keep their ids and addresses. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Address {
  readonly id: number;
  readonly address: string;
}

export interface Members {
  readonly nodes: readonly Address[];
  /** The voters of the first start, as their configurations name them for ever. */
  readonly founders: readonly Address[];
}

const FILE = "members.json";

/** Null: there is none. Throws with a sentence if it is not one of ours. */
export function readMembers(directory: string): Members | null {
  const file = join(directory, FILE);
  if (!existsSync(file)) return null;
  const members = parse(readFileSync(file, "utf8"));
  if (members !== null) return members;
  throw new Error(
    `cannot use ${directory}: expected ${FILE} as the playground wrote it, got something else; ` +
      "choose another --data-dir",
  );
}

/** Whole or not at all. */
export function writeMembers(directory: string, members: Members): void {
  const file = join(directory, FILE);
  writeFileSync(`${file}.new`, `${JSON.stringify(members, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

function parse(text: string): Members | null {
  try {
    const { nodes, founders = nodes } = JSON.parse(text) as Record<string, unknown>;
    return isAddresses(nodes) && isAddresses(founders) ? { nodes, founders } : null;
  } catch {
    return null;
  }
}

function isAddresses(value: unknown): value is readonly Address[] {
  if (!Array.isArray(value)) return false;
  return value.every(
    (node: { id?: unknown; address?: unknown }) =>
      typeof node.id === "number" && /^127\.0\.0\.1:\d+$/.test(String(node.address)),
  );
}
