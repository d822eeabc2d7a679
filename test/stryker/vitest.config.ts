/** For Stryker: quick tests first, since the first that fails is the end of a mutant. */
import { BaseSequencer } from "vitest/node";
import type { TestSpecification } from "vitest/node";
import { defineConfig } from "vitest/config";

/** Last, what runs hundreds of random schedules. */
const SLOW = ["priority.test.ts", "liveness.test.ts", "safety.test.ts"];

function slowness({ moduleId }: TestSpecification): number {
  return SLOW.findIndex((name) => moduleId.endsWith(`/${name}`));
}

class QuickFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((one, other) => slowness(one) - slowness(other));
  }
}

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts"],
    isolate: false,
    sequence: { sequencer: QuickFirst },
  },
});
