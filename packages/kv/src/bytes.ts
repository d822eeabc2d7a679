/** Byte strings: order, names for maps, and text for people. Pure packages have no TextDecoder. */

export const EMPTY: Uint8Array = new Uint8Array(0);

/** Negative, 0 or positive, in the order of unsigned bytes; a prefix comes first. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = left.length < right.length ? left.length : right.length;
  for (let at = 0; at < length; at += 1) {
    const difference = (left[at] as number) - (right[at] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

const codes: number[] = [];
const CODES_MAX = 256;

/**
 * Bytes `start` to `end` as a string of one character per byte. It identifies the bytes, and two
 * such strings compare (`<`) as their bytes do.
 */
export function nameOf(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let name = "";
  for (let from = start; from < end; from += CODES_MAX) {
    const length = end - from < CODES_MAX ? end - from : CODES_MAX;
    codes.length = length;
    for (let at = 0; at < length; at += 1) codes[at] = bytes[from + at] as number;
    const part = String.fromCharCode.apply(null, codes);
    name = name === "" ? part : name + part;
  }
  return name;
}

/**
 * The end of the range of all keys that begin with `prefix`: the prefix with its last byte below
 * 0xff raised by one, and what follows dropped. Without such a byte: one zero byte, "no end".
 */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  for (let at = prefix.length - 1; at >= 0; at -= 1) {
    const byte = prefix[at] as number;
    if (byte < 0xff) {
      const end = prefix.slice(0, at + 1);
      end[at] = byte + 1;
      return end;
    }
  }
  return new Uint8Array(1);
}

/** A text's UTF-8. A lone surrogate becomes U+FFFD. */
export function bytesOf(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0) as number;
    const safe = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
    if (safe < 0x80) bytes.push(safe);
    else if (safe < 0x800) bytes.push(0xc0 | (safe >> 6), 0x80 | (safe & 0x3f));
    else if (safe < 0x10000) {
      bytes.push(0xe0 | (safe >> 12), 0x80 | ((safe >> 6) & 0x3f), 0x80 | (safe & 0x3f));
    } else {
      bytes.push(0xf0 | (safe >> 18), 0x80 | ((safe >> 12) & 0x3f));
      bytes.push(0x80 | ((safe >> 6) & 0x3f), 0x80 | (safe & 0x3f));
    }
  }
  return Uint8Array.from(bytes);
}

/** How much of a key or value people are shown. */
const CHARACTERS_MAX = 64;

/**
 * Bytes as a person reads them: valid UTF-8 without control characters as text, everything else
 * as `0x…`; cut with `…` after 64 characters (32 bytes of hex).
 */
export function textOf(bytes: Uint8Array): string {
  let text = "";
  let at = 0;
  for (let count = 0; at < bytes.length; count += 1) {
    if (count === CHARACTERS_MAX) return `${text}…`;
    const point = pointAt(bytes, at);
    if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return hexOf(bytes);
    text += String.fromCodePoint(point);
    at += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return text;
}

function hexOf(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, CHARACTERS_MAX / 2), (byte) =>
    byte.toString(16).padStart(2, "0"),
  );
  return `0x${shown.join("")}${bytes.length > CHARACTERS_MAX / 2 ? "…" : ""}`;
}

/** The code point whose shortest UTF-8 begins at `at`; -1 if there is none. */
function pointAt(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  if (lead < 0x80) return lead;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return -1;
  let point = lead & (0xff >> (length + 1));
  for (let offset = 1; offset < length; offset += 1) {
    const byte = bytes[at + offset] as number;
    if ((byte & 0xc0) !== 0x80) return -1;
    point = (point << 6) | (byte & 0x3f);
  }
  const smallest = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000;
  const surrogate = point >= 0xd800 && point <= 0xdfff;
  return point < smallest || point > 0x10ffff || surrogate ? -1 : point;
}
