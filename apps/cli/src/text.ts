/** Keys and values for people, and options from people. */
import { InvalidArgumentError } from "commander";

const encoder = new TextEncoder();

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** null: not UTF-8. */
export function utf8Of(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Text as it is; what could steer a terminal, and what is no text, as hexadecimal. */
export function showBytes(bytes: Uint8Array): string {
  const text = utf8Of(bytes);
  return text === null || /\p{Cc}|\p{Cf}/u.test(text) ? `0x${hexOf(bytes)}` : text;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** `key: "fruit"`, or `keyBase64` for what is no text. */
export function jsonOf(name: string, bytes: Uint8Array): Record<string, string> {
  const text = utf8Of(bytes);
  if (text !== null) return { [name]: text };
  return { [`${name}Base64`]: Buffer.from(bytes).toString("base64") };
}

const UNITS: Readonly<Record<string, number>> = { "": 1, ms: 1, s: 1000, m: 60_000 };

/** `500ms`, `5s`, `1m`; a bare number is milliseconds. */
export function parseDuration(text: string): number {
  const [, amount = "", unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|)$/.exec(text) ?? [];
  const milliseconds = Number(amount) * (UNITS[unit] ?? Number.NaN);
  if (amount === "" || !(milliseconds >= 1 && milliseconds <= 86_400_000)) {
    throw new InvalidArgumentError(`expected a duration such as 500ms or 5s, got ${text}`);
  }
  return Math.round(milliseconds);
}

/** A time limit. A bare number is milliseconds for a call, and seconds for a check. */
export interface Timeout {
  readonly callMs: number;
  readonly checkMs: number;
}

export function parseTimeout(text: string): Timeout {
  const bare = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : null;
  const callMs = parseDuration(bare !== null && bare > 0 && bare < 1 ? "1" : text);
  return { callMs, checkMs: bare === null ? callMs : Math.ceil(bare * 1000) };
}

/** A whole number from `min` up. */
export function parseWhole(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value;
    throw new InvalidArgumentError(`expected a whole number from ${min} up, got ${text}`);
  };
}

export function parseNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`expected a number from ${min} to ${max}, got ${text}`);
  };
}

export function parseChoice<Choice extends string>(
  choices: readonly Choice[],
): (text: string) => Choice {
  return (text) => {
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`expected one of ${choices.join(", ")}, got ${text}`);
  };
}

/** Columns as wide as their widest cell. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows];
  const widths = header.map((_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? "").length)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
