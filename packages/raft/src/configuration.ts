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
  const bytes: number[] = [];
  for (const number of numbers) {
    let rest = number;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
    bytes.push(rest);
  }
  return new Uint8Array(bytes);
}

/** The reverse of `encodeConfiguration`; null if these are not its bytes. */
export function decodeConfiguration(data: Uint8Array): Configuration | null {
  const numbers = varintsOf(data);
  let at = 1;
  const list = (): number[] => {
    const count = numbers[at++] ?? 0;
    at += count;
    return numbers.slice(at - count, at);
  };
  const [voters, votersOutgoing, learners] = [list(), list(), list()];
  const addresses: Record<NodeId, string> = {};
  at++;
  while (at < numbers.length) {
    const nodeId = numbers[at++]!;
    let address = "";
    for (const unit of list()) address += String.fromCharCode(unit);
    addresses[nodeId] = address;
  }
  const configuration = { voters, votersOutgoing, learners, addresses };
  if (!isSound(configuration)) return null;
  // Whatever is wrong with the bytes, a configuration read from them has others.
  const bytes = encodeConfiguration(configuration);
  const same = bytes.length === data.length && bytes.every((byte, i) => byte === data[i]);
  return same ? configuration : null;
}

/** Up to the first that is too large, or cut short. */
function varintsOf(data: Uint8Array): number[] {
  const numbers: number[] = [];
  let value = 0;
  let scale = 1;
  for (const byte of data) {
    value += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (!Number.isSafeInteger(value)) break;
    if (byte >= 0x80) continue;
    numbers.push(value);
    value = 0;
    scale = 1;
  }
  return numbers;
}
