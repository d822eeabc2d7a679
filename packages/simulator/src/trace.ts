/**
 * A running hash of everything that happened in a run: two runs of one seed must agree on it. Two
 * 32-bit lanes; not cryptographic, it only has to notice differences.
 */
export interface Trace {
  note(kind: number, a: number, b: number, c: number): void;
  /** 16 hexadecimal digits. */
  digest(): string;
}

export function createTrace(): Trace {
  let left = 0x811c9dc5 | 0;
  let right = 0x9747b28c | 0;
  /** Of large numbers only the low 32 bits, which is what `| 0` leaves. */
  function add(value: number): void {
    left = Math.imul(left ^ (value | 0), 0x01000193);
    left ^= left >>> 15;
    right = Math.imul(right ^ (value | 0), 0x85ebca6b);
    right = (right << 13) | (right >>> 19);
  }
  return {
    note(kind, a, b, c) {
      add(kind);
      add(a);
      add(b);
      add(c);
    },
    digest: () => hex(left) + hex(right),
  };
}

/** A number from bytes: equal for equal bytes, hardly ever otherwise. */
export function fingerprintOf(data: Uint8Array): number {
  let low = 0x811c9dc5 | 0;
  let high = data.length | 0;
  for (let index = 0; index < data.length; index += 1) {
    low = Math.imul(low ^ data[index]!, 0x01000193);
    high = (Math.imul(high, 31) + data[index]!) | 0;
  }
  // 53 bits: safe as an integer.
  return (low >>> 0) + (high & 0x1f_ffff) * 0x1_0000_0000;
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
