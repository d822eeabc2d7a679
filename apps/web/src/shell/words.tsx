import { termHue } from "@raftarium/scene";
import type { Words } from "@raftarium/observer";

/** The value of `data-hue` for a term: what the element wears, see tokens.css. */
export function hueOf(term: number): number | undefined {
  const hue = termHue(term);
  return hue < 0 ? undefined : hue + 1;
}

/** A sentence of which the terms wear their colours. */
export function WordsLine({ words }: { readonly words: readonly Words[] }) {
  return words.map((piece, at) =>
    piece.term === null ? (
      // oxlint-disable-next-line react/no-array-index-key -- pieces have no identity but their place
      <span key={at}>{piece.text}</span>
    ) : (
      // oxlint-disable-next-line react/no-array-index-key
      <span key={at} className="term-ink" data-hue={hueOf(piece.term)}>
        {piece.text}
      </span>
    ),
  );
}
