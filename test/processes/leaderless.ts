/** When nobody led, from what the nodes themselves told. */
import type { Observation } from "@raftarium/observer";
import type { Role } from "@raftarium/raft";
import { expect } from "vitest";
import type { Playground } from "./playground.ts";

/** The longest election timeout of a node that nobody configured otherwise, milliseconds. */
const ELECTION_TIMEOUT_MS_MAX = 600;

/** Every window without a leader between the first leader and the first crash, in ms. */
async function leaderlessWindows({ url }: Playground): Promise<readonly number[]> {
  const response = await fetch(`${url}/recording.jsonl`);
  const lines = (await response.text()).trimEnd().split("\n");
  return windowsOf(lines.map((line) => JSON.parse(line) as Observation));
}

/**
 * There was a window, and none was longer than one election.
 *
 * @param pauseMs the longest time for which the machine stood still
 */
export async function expectShortWindows(playground: Playground, pauseMs: number): Promise<void> {
  const windows = await leaderlessWindows(playground);
  const windowsText = windows.map((ms) => `${Math.round(ms)} ms`).join(", ");
  process.stdout.write(`without a leader: ${windowsText}\n`);
  expect(windows.length).toBeGreaterThan(0);
  expect(Math.max(...windows)).toBeLessThan(ELECTION_TIMEOUT_MS_MAX + 3 * pauseMs);
}

/**
 * A window begins when the last leader steps down, or, where its last words were lost, with the
 * last that it told of anything. It ends with the next leader.
 */
export function windowsOf(observations: readonly Observation[]): readonly number[] {
  const leaders = new Set<number>();
  const lastToldUs = new Map<number, number>();
  const windows: number[] = [];
  let sinceUs: number | null = null;

  const became = (nodeId: number, role: Role, timeUs: number): void => {
    if (role === "leader") {
      if (leaders.has(nodeId)) return;
      const [before] = leaders;
      const fromUs = before === undefined ? sinceUs : (lastToldUs.get(before) ?? timeUs);
      if (fromUs !== null) windows.push((timeUs - fromUs) / 1000);
      // Who led before leads no more, whether that was told or not.
      leaders.clear();
      leaders.add(nodeId);
    } else if (leaders.delete(nodeId)) sinceUs = timeUs;
  };

  // Told one after the other, but by several nodes: their stamps give the order.
  for (const { nodeId, timeUs, body } of observations.toSorted((a, b) => a.timeUs - b.timeUs)) {
    if (body.kind === "health-changed" && body.health === "crashed") break;
    if (body.kind === "role-changed") became(nodeId, body.role, timeUs);
    else if (body.kind === "node-view") became(nodeId, body.view.role, timeUs);
    // What is told of a node's process, or by a message's receiver, is not told by the node.
    if (body.kind === "message-sent") lastToldUs.set(nodeId, timeUs);
  }
  return windows;
}
