/** Links and walls, drawn; a link is also something to click, or to reach by keyboard. */
import type { LinkMark, WallMark } from "@raftarium/scene";
import { memo } from "react";

function linkWords(mark: LinkMark): string {
  const words: string[] = [];
  if (mark.cutAb && mark.cutBa) words.push("cut");
  else if (mark.cutAb) words.push(`cut from ${mark.a} to ${mark.b}`);
  else if (mark.cutBa) words.push(`cut from ${mark.b} to ${mark.a}`);
  words.push(...mark.labels.map((label) => label.text));
  return words.length === 0 ? "whole" : words.join("; ");
}

interface LinkShapeProps {
  readonly mark: LinkMark;
  readonly onOpen: (mark: LinkMark, element: SVGElement) => void;
}

export const LinkShape = memo(function LinkShape({ mark, onOpen }: LinkShapeProps) {
  const ends = { x1: mark.from.x, y1: mark.from.y, x2: mark.to.x, y2: mark.to.y };
  const names = ["link"];
  if (mark.dead) names.push("dead");
  if (mark.cutAb && mark.cutBa) names.push("cut");
  return (
    <g className={names.join(" ")}>
      <line className="link-line" {...ends} />
      {mark.lanes.map(({ path, lossy }) => (
        <path key={path} className={lossy ? "link-lane lossy" : "link-lane"} d={path} />
      ))}
      <line
        className="link-hit"
        {...ends}
        role="button"
        tabIndex={0}
        aria-haspopup="dialog"
        aria-label={`Link between ${mark.a} and ${mark.b}, ${linkWords(mark)}`}
        onClick={(event) => onOpen(mark, event.currentTarget)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          onOpen(mark, event.currentTarget);
        }}
      />
    </g>
  );
});

export const LinkLabels = memo(function LinkLabels({ mark }: { readonly mark: LinkMark }) {
  return mark.labels.map((label) => (
    <text key={`${label.text}${label.x}`} className="link-label" x={label.x} y={label.y}>
      {label.text}
    </text>
  ));
});

export const Wall = memo(function Wall({ mark }: { readonly mark: WallMark }) {
  return (
    <g className="wall">
      {mark.dots.map((dot) => (
        <circle key={`${dot.x} ${dot.y}`} cx={dot.x} cy={dot.y} r={1.6} />
      ))}
      {mark.label === null ? null : (
        <text className="wall-label" x={mark.label.x} y={mark.label.y}>
          {mark.label.text}
        </text>
      )}
    </g>
  );
});
