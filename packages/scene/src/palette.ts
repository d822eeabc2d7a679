/**
 * The colours of the drawing. The interface has none of its own: ink, paper, hairlines. A hue
 * means one thing, the term; red means one thing, a broken promise.
 *
 * The terms' hues follow Okabe and Ito's set for colour-blind readers ("Color Universal Design").
 */
import type { Term } from "./types.ts";

export interface Palette {
  readonly ground: string;
  readonly raised: string;
  readonly hairline: string;
  readonly text: string;
  readonly muted: string;
  readonly broken: string;
  /** Hues of terms 1, 2, 3...; after the last the first comes again. */
  readonly terms: readonly string[];
}

export const DARK: Palette = {
  ground: "#0d1117",
  raised: "#121821",
  hairline: "#232c39",
  text: "#e9e6df",
  muted: "#94a0b0",
  broken: "#ff4d4f",
  terms: ["#56b4e9", "#e69f00", "#cc79a7", "#2fc08f", "#f0e442", "#8fa8ff", "#f2764b"],
};

export const LIGHT: Palette = {
  ground: "#f6f3ec",
  raised: "#fffdf8",
  hairline: "#dcd6c9",
  text: "#1d232c",
  muted: "#5b6470",
  broken: "#c62020",
  terms: ["#1b7fb8", "#b87a00", "#ab4a80", "#0b8a61", "#a89a00", "#4d67d1", "#c8501f"],
};

/** Which of the hues a term has: 0 up; -1 for term 0, which is before any election. */
export function termHue(term: Term): number {
  return term <= 0 ? -1 : (term - 1) % DARK.terms.length;
}

export function termColour(palette: Palette, term: Term): string {
  return palette.terms[termHue(term)] ?? palette.muted;
}
