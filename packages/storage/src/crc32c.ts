/**
 * CRC-32C (Castagnoli; RFC 3720, appendix B.4): reflected polynomial 0x82f63b78.
 *
 * Eight tables let one turn of the loop take eight bytes ("slicing by 8").
 */
const POLYNOMIAL = 0x82f6_3b78;

const tables: readonly Uint32Array[] = buildTables();

function buildTables(): readonly Uint32Array[] {
  const first = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) {
      value = (value & 1) === 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    }
    first[byte] = value >>> 0;
  }
  const all = [first];
  for (let slice = 1; slice < 8; slice += 1) {
    const previous = all[slice - 1]!;
    const table = new Uint32Array(256);
    for (let byte = 0; byte < 256; byte += 1) {
      const value = previous[byte]!;
      table[byte] = (value >>> 8) ^ first[value & 0xff]!;
    }
    all.push(table);
  }
  return all;
}

/**
 * The checksum of `bytes` from `start` to before `end`. `seed` is the checksum of what came
 * before, so that `crc32c(b, 0, n, crc32c(a))` is the checksum of `a` followed by `b`.
 */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length, seed = 0): number {
  const t0 = tables[0]!;
  const t1 = tables[1]!;
  const t2 = tables[2]!;
  const t3 = tables[3]!;
  const t4 = tables[4]!;
  const t5 = tables[5]!;
  const t6 = tables[6]!;
  const t7 = tables[7]!;
  let crc = ~seed;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      t7[crc & 0xff]! ^
      t6[(crc >>> 8) & 0xff]! ^
      t5[(crc >>> 16) & 0xff]! ^
      t4[crc >>> 24]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!;
  }
  for (; at < end; at += 1) {
    crc = t0[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}
