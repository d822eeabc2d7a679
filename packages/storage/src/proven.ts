import { FRAME_HEADER_BYTES, frameSize, getFrameHeader } from "./frame.ts";

/** A stretch of a file: bytes from `start` to before `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The stretches of a segment that a later frame in it proves to have been durable: a bit that
 * turns in one of them must be refused at the next opening. For those who let disks rot.
 */
export function provenRanges(segment: Uint8Array): readonly ByteRange[] {
  const frames: ByteRange[] = [];
  let watermark = 0;
  for (let at = 0; ;) {
    const header = getFrameHeader(segment, at);
    if (header === null) break;
    watermark = Math.max(watermark, header.watermark);
    // What pads a body to whole words means nothing.
    frames.push({ start: at, end: at + FRAME_HEADER_BYTES + header.bodyLength });
    at += frameSize(header.bodyLength);
  }
  return frames.filter(({ end }) => end <= watermark);
}
