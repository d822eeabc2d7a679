/** How much of a key or value people are shown. */
const CHARACTERS_MAX = 64;

/**
 * Bytes as a person reads them: valid UTF-8 without control characters as text, everything else
 * as `0x…`; cut with `…` after 64 characters (32 bytes of hex). The key-value machine tells of its
 * rows in the same way, so that a row is known by its key wherever it comes from. (Pure packages
 * have no TextDecoder.)
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
