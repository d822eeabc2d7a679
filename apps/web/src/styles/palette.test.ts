import { readFileSync } from "node:fs";
import { DARK, LIGHT, type Palette } from "@raftarium/scene";
import { expect, test } from "vitest";

const css = readFileSync(new URL("tokens.css", import.meta.url), "utf8");

function block(theme: "dark" | "light"): Map<string, string> {
  const body = css.split(`:root[data-theme="${theme}"] {`)[1]?.split("}")[0] ?? "";
  const found = body.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g);
  return new Map([...found].map((match) => [match[1] ?? "", match[2] ?? ""]));
}

/** WCAG 2.2: relative luminance, and the ratio of two. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const themes: readonly (readonly ["dark" | "light", Palette])[] = [
  ["dark", DARK],
  ["light", LIGHT],
];

for (const [theme, palette] of themes) {
  test(`${theme}: the page wears the scene's colours`, () => {
    const variables = block(theme);
    for (const name of ["ground", "raised", "hairline", "text", "muted", "broken"] as const) {
      expect(variables.get(name), name).toBe(palette[name]);
    }
    palette.terms.forEach((colour, at) => {
      expect(variables.get(`term-${at + 1}`), `term ${at + 1}`).toBe(colour);
    });
  });

  test(`${theme}: what is written can be read (WCAG AA), on the ground and on what is raised`, () => {
    const variables = block(theme);
    const inks = ["text", "muted", "broken", ...palette.terms.map((_, at) => `term-${at + 1}-ink`)];
    for (const ink of inks) {
      for (const ground of [palette.ground, palette.raised]) {
        expect(contrast(variables.get(ink) ?? ground, ground), ink).toBeGreaterThanOrEqual(4.5);
      }
    }
  });
}
