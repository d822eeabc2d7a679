/**
 * The scene is pure, so its pictures are goldens: `vitest -u` rewrites them, and whoever commits
 * the difference can explain it.
 */
import { createFold, type Observation } from "@raftarium/observer";
import { DARK, LIGHT, sceneOf, toSvg, type Palette } from "@raftarium/scene";
import { expect, test } from "vitest";
import {
  crashedAndPaused,
  healthy,
  isolated,
  partition,
  slowLink,
  splitVote,
} from "../fixtures/stories.ts";

const SIZE = { width: 960, height: 560 };
const MOTION = { expectedFlightUs: 240_000, marksMax: 240 };

function picture(observations: readonly Observation[], palette: Palette): string {
  const folding = createFold();
  for (const observation of observations) folding.apply(observation);
  const view = folding.snapshot();
  return toSvg(sceneOf(view, view.timeUs, SIZE, MOTION), palette);
}

const stories = {
  healthy: () => healthy(),
  "split-vote": splitVote,
  partition,
  isolated,
  "crashed-and-paused": crashedAndPaused,
  "slow-link": slowLink,
  "nine-nodes": () => healthy({ nodeCount: 9, seed: 4 }),
};

for (const [name, tell] of Object.entries(stories)) {
  test(`the picture of ${name}`, async () => {
    const { observations } = tell();
    await expect(picture(observations, DARK)).toMatchFileSnapshot(`scenes/${name}-dark.svg`);
  });
}

test("light: the same drawing in other colours", async () => {
  const { observations } = healthy();
  const light = picture(observations, LIGHT);
  await expect(light).toMatchFileSnapshot("scenes/healthy-light.svg");
  const withoutColours = (svg: string) => svg.replaceAll(/#[0-9a-f]{6}/g, "#");
  expect(withoutColours(light)).toBe(withoutColours(picture(observations, DARK)));
});
