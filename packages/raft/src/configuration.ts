/** The bytes of a configuration in the log. */
import { ascending, isSound } from "./quorum.ts";
import type { Configuration, NodeId } from "./types.ts";

const formatVersion = 1;

/**
 * The bytes carried by an entry of kind `configuration`. Format: a version byte, then the lists
 * voters, votersOutgoing and learners (a count, then ids), then the addresses (a count, then id,
 * length and UTF-16 code units: one byte for each ASCII character), in ascending order of id. All
 * numbers are LEB128 varints. Equal configurations give equal bytes.
 */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const { voters, votersOutgoing, learners, addresses } = configuration;
  const numbers = [formatVersion];
  for (const list of [voters, votersOutgoing, learners]) {
    numbers.push(list.length, ...ascending(list));
  }
  const ids = ascending(Object.keys(addresses).map(Number));
  numbers.push(ids.length);
  for (const nodeId of ids) {
    const address = addresses[nodeId]!;
    numbers.push(nodeId, address.length);
    for (let i = 0; i < address.length; i++) numbers.push(address.charCodeAt(i));
  }
  return Uint8Array.from(numbers.flatMap(varint));
}

/** The reverse of `encodeConfiguration`; null if these are not its bytes. */
export function decodeConfiguration(data: Uint8Array): Configuration | null {
  const numbers = data[0] === formatVersion ? varintsOf(data.subarray(1)) : null;
  if (numbers === null) return null;
  let at = 0;
  let sound = true;
  /** What is not there reads as -1, which is no count. */
  const next = (): number => numbers[at++] ?? -1;
  const list = (itemMax = Number.MAX_SAFE_INTEGER): number[] => {
    const count = next();
    const items = numbers.slice(at, at + Math.max(count, 0));
    at += items.length;
    sound &&= items.length === count && items.every((item) => item <= itemMax);
    return items;
  };
  const [voters, votersOutgoing, learners] = [list(), list(), list()];
  const addresses: Record<NodeId, string> = {};
  const addressCount = next();
  if (addressCount < 0 || addressCount > numbers.length) return null;
  for (let i = 0; i < addressCount; i++) {
    const nodeId = next();
    addresses[nodeId] = list(0xffff)
      .map((unit) => String.fromCharCode(unit))
      .join("");
  }
  const configuration = { voters, votersOutgoing, learners, addresses };
  return sound && at === numbers.length && isSound(configuration) ? configuration : null;
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))];
}

/** Null if a number is too large, or cut short. */
function varintsOf(data: Uint8Array): number[] | null {
  const numbers: number[] = [];
  let value = 0;
  let scale = 1;
  for (const byte of data) {
    value += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (!Number.isSafeInteger(value)) return null;
    if (byte >= 0x80) continue;
    numbers.push(value);
    value = 0;
    scale = 1;
  }
  return scale === 1 ? numbers : null;
}
