/** Histories to try a checker on, and a second opinion. */
export { isExplainable } from "./brute-force.ts";
export * from "./histories.ts";
export * from "./spoils.ts";
