import { defineConfig } from "vitest/config";

// Three groups, so that what needs the machine for itself gets it: `pnpm test` runs them in turn.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/{src,bin}/**/*.test.ts", "apps/*/src/**/*.test.{ts,tsx}"],
        },
      },
      {
        test: {
          name: "whole",
          include: [
            "test/{scenarios,simulation,explore,golden,parity}/**/*.test.ts",
            "test/*.test.ts",
          ],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: "processes",
          include: ["test/{processes,browser}/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
