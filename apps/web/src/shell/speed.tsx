/** How fast the cluster lives: a slider with logarithmic stops from 1/1000 to real time. */
import { useRef, useState } from "react";
import { useCommands, useTimeline } from "../state/use.ts";
import { report } from "./notices.tsx";

const DIVISORS = [1000, 500, 200, 100, 50, 20, 10, 5, 2, 1];
/** A drag asks once it rests, not at every stop on its way. */
const SETTLE_MS = 180;

function speedWords(speed: number): string {
  if (speed >= 0.995) return "real time";
  return `1/${Math.round(1 / speed)}`;
}

function stopOf(speed: number): number {
  const distance = (divisor: number) => Math.abs(Math.log(speed * divisor));
  return DIVISORS.reduce(
    (best, divisor, at) => (distance(divisor) < distance(DIVISORS[best] ?? 1) ? at : best),
    0,
  );
}

export function Speed() {
  const commands = useCommands();
  const speed = useTimeline((state) => state.view.speed);
  const [asked, setAsked] = useState<number | null>(null);
  const settling = useRef<ReturnType<typeof setTimeout>>(undefined);
  const [speedThen, setSpeedThen] = useState(speed);
  // Whatever the cluster says next is the truth again.
  if (speedThen !== speed) {
    setSpeedThen(speed);
    setAsked(null);
  }
  const shown = asked ?? speed;

  const choose = (stop: number) => {
    const next = 1 / (DIVISORS[stop] ?? 1);
    setAsked(next);
    clearTimeout(settling.current);
    settling.current = setTimeout(() => {
      const answer = commands.setSpeed(next);
      report(answer);
      void answer.then((result) => {
        if (!result.ok) setAsked(null);
      });
    }, SETTLE_MS);
  };

  const label = speedWords(shown);
  return (
    <label className="speed">
      <span className="slow">slow</span>
      <input
        type="range"
        min={0}
        max={DIVISORS.length - 1}
        step={1}
        value={stopOf(shown)}
        disabled={commands.unavailable !== null}
        title={commands.unavailable ?? "How fast the cluster lives"}
        aria-label="Speed"
        aria-valuetext={shown >= 0.995 ? label : `${label} of real time`}
        onChange={(event) => choose(Number(event.target.value))}
      />
      <output>{label}</output>
    </label>
  );
}
