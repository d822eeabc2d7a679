/** How much of a key or value people are shown. */
const CHARACTERS_MAX = 64;

/**
 * Bytes as a person reads them: printable ASCII and valid UTF-8 as text, everything else as
 * `0x…`; cut with `…` after 64 characters. (Pure packages have no TextDecoder.)
 */
export function textOf(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes.subarray(0, CHARACTERS_MAX * 4));
  if (text === null) {
    const shown = Array.from(bytes.subarray(0, CHARACTERS_MAX / 2), (byte) =>
      byte.toString(16).padStart(2, "0"),
    ).join("");
    return `0x${shown}${bytes.length > CHARACTERS_MAX / 2 ? "…" : ""}`;
  }
  const characters = Array.from(text);
  if (characters.length <= CHARACTERS_MAX) return text;
  return `${characters.slice(0, CHARACTERS_MAX).join("")}…`;
}

/** null: not UTF-8, or with control characters. A character cut off at the end is left out. */
function decodeUtf8(bytes: Uint8Array): string | null {
  let text = "";
  let position = 0;
  while (position < bytes.length) {
    const lead = bytes[position] as number;
    const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length === 0 || lead > 0xf4 || lead < 0x20 || lead === 0x7f) return null;
    if (position + length > bytes.length) return position === 0 ? null : text;
    let point = length === 1 ? lead : lead & (0xff >> (length + 1));
    for (let offset = 1; offset < length; offset += 1) {
      const byte = bytes[position + offset] as number;
      if ((byte & 0xc0) !== 0x80) return null;
      point = (point << 6) | (byte & 0x3f);
    }
    const smallest = [0, 0, 0x80, 0x800, 0x10000][length] as number;
    if (point < smallest || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return null;
    text += String.fromCodePoint(point);
    position += length;
  }
  return text;
}
