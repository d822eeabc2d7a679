/** Nodes, drawn: role by form and word, the term in the serif. */
import { raysPath, type NodeMark } from "@raftarium/scene";
import { memo } from "react";
import { hueOf } from "../shell/words.tsx";

function Slot({ mark }: { readonly mark: NodeMark }) {
  const y = mark.y + mark.radius * 0.5;
  if (mark.health === "paused") {
    const [width, height] = [mark.radius * 0.1, mark.radius * 0.36];
    return [-1.6, 0.6].map((side) => (
      <rect
        key={side}
        className="bar"
        x={mark.x + side * width}
        y={y - height / 2}
        width={width}
        height={height}
        rx={1}
      />
    ));
  }
  if (mark.health === "crashed" || mark.health === "stopped") {
    const arm = mark.radius * 0.13;
    return (
      <path
        className="cross"
        d={`M${mark.x - arm},${y - arm}l${2 * arm},${2 * arm}m0,${-2 * arm}l${-2 * arm},${2 * arm}`}
      />
    );
  }
  return mark.votes.map((dot) => (
    <circle
      key={dot.voterId}
      className={`vote ${dot.state}`}
      cx={dot.x}
      cy={dot.y}
      r={Math.max(2, mark.radius * 0.066)}
    />
  ));
}

interface NodeShapeProps {
  readonly mark: NodeMark;
  readonly selected: boolean;
}

export const NodeShape = memo(function NodeShape({ mark, selected }: NodeShapeProps) {
  const { x, y, radius, health, role } = mark;
  const gone = health === "crashed" || health === "stopped";
  const slotted = mark.votes.length > 0 || gone || health === "paused";
  const baseline = y + radius * (slotted ? -0.02 : 0.25);
  const names = ["node", role, health];
  if (gone) names.push("gone");
  if (selected) names.push("selected");
  return (
    <g className={names.join(" ")} data-hue={hueOf(mark.term) ?? ""}>
      <circle className="track" cx={x} cy={y} r={mark.timerRadius} />
      <circle className="disc" cx={x} cy={y} r={radius} />
      <circle className="ring" cx={x} cy={y} r={radius} />
      <path className="rays" d={raysPath(radius)} transform={`translate(${x} ${y})`} />
      <text className="term" x={x} y={baseline} fontSize={radius * (slotted ? 0.64 : 0.74)}>
        {mark.term === 0 ? "·" : mark.term}
      </text>
      <Slot mark={mark} />
      <text className="name" x={mark.nameAt.x} y={mark.nameAt.y} textAnchor={mark.textAnchor}>
        {mark.name}
      </text>
      <text className="word" x={mark.wordAt.x} y={mark.wordAt.y} textAnchor={mark.textAnchor}>
        {mark.word}
      </text>
    </g>
  );
});
