/** A scene as one SVG document: for goldens, and for whoever wants the figure. */
import { arc } from "d3-shape";
import { raysPath } from "./shapes.ts";
import { termColour, type Palette } from "./palette.ts";
import type {
  LinkMark,
  MessageMark,
  NodeMark,
  PulseMark,
  Scene,
  StripCell,
  TimerMark,
} from "./types.ts";

/** At most three decimals, so that goldens don't depend on the last bits of a sine. */
function fixed(value: number): string {
  const rounded = Math.round(value * 1000) / 1000;
  return String(Object.is(rounded, -0) ? 0 : rounded);
}

function fixedPath(text: string): string {
  return text.replaceAll(/-?\d+(?:\.\d+)?(?:e-?\d+)?/g, (number) => fixed(Number(number)));
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

type Attributes = Readonly<Record<string, string | number>>;

function element(name: string, attributes: Attributes, content = ""): string {
  const written = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? fixed(value) : escape(value)}"`)
    .join("");
  return content === "" ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`;
}

function text(x: number, y: number, words: string, attributes: Attributes): string {
  return element("text", { x, y, "text-anchor": "middle", ...attributes }, escape(words));
}

const SERIF = "Newsreader, Georgia, serif";
const SANS = "Inter, system-ui, sans-serif";

function linkSvg(link: LinkMark, palette: Palette): string {
  const cut = link.cutAb && link.cutBa;
  const line = element("line", {
    x1: link.from.x,
    y1: link.from.y,
    x2: link.to.x,
    y2: link.to.y,
    stroke: palette.hairline,
    ...(link.dead || cut ? { "stroke-dasharray": "1.5 5" } : {}),
  });
  const lanes = link.lanes.map(({ path, lossy }) =>
    element("path", {
      d: fixedPath(path),
      fill: "none",
      stroke: palette.muted,
      opacity: 0.5,
      ...(lossy ? { "stroke-dasharray": "6 7" } : {}),
    }),
  );
  const labels = link.labels.map((label) =>
    text(label.x, label.y, label.text, {
      fill: palette.muted,
      "font-size": 11,
      "font-family": SANS,
    }),
  );
  return [line, ...lanes, ...labels].join("\n");
}

function timerSvg(timer: TimerMark, palette: Palette): string {
  const drawn = arc()({
    innerRadius: timer.radius - 1.25,
    outerRadius: timer.radius + 1.25,
    startAngle: 0,
    endAngle: timer.remaining * 2 * Math.PI,
  });
  return element("path", {
    d: fixedPath(drawn ?? ""),
    transform: `translate(${fixed(timer.x)} ${fixed(timer.y)})`,
    fill: termColour(palette, timer.term),
    opacity: timer.faint ? 0.4 : 1,
  });
}

function discSvg(node: NodeMark, palette: Palette): readonly string[] {
  const colour = termColour(palette, node.term);
  const { x: cx, y: cy, radius: r } = node;
  const circle = (attributes: Attributes) => element("circle", { cx, cy, r, ...attributes });
  if (node.health === "crashed" || node.health === "stopped") {
    return [
      circle({ fill: "none", stroke: palette.muted, "stroke-dasharray": "1.5 5", opacity: 0.8 }),
    ];
  }
  if (node.role === "leader") {
    return [
      circle({ fill: colour }),
      element("path", {
        d: fixedPath(raysPath(r)),
        transform: `translate(${fixed(cx)} ${fixed(cy)})`,
        stroke: colour,
        "stroke-width": 2,
        "stroke-linecap": "round",
      }),
    ];
  }
  const asking = node.role === "candidate" || node.role === "pre-candidate";
  return [
    element("circle", {
      cx,
      cy,
      r: node.timerRadius,
      fill: "none",
      stroke: palette.hairline,
      "stroke-width": 2.5,
    }),
    circle({
      fill: colour,
      "fill-opacity": 0.13,
      stroke: colour,
      "stroke-width": asking ? 2 : 1.5,
      ...(asking ? { "stroke-dasharray": node.preVote ? "3 5" : "7 5" } : {}),
    }),
  ];
}

function nodeSvg(node: NodeMark, palette: Palette): string {
  const colour = termColour(palette, node.term);
  const gone = node.health === "crashed" || node.health === "stopped";
  const parts = [...discSvg(node, palette)];
  const ink = gone ? palette.muted : node.role === "leader" ? palette.ground : colour;
  const up = node.votes.length > 0 ? -node.radius * 0.26 : 0;
  parts.push(
    text(node.x, node.y + up + node.radius * 0.24, String(node.term), {
      fill: ink,
      "font-size": node.radius * 0.74,
      "font-family": SERIF,
      opacity: gone ? 0.5 : 1,
    }),
  );
  if (node.health === "paused") {
    for (const side of [-1, 1]) {
      parts.push(
        element("rect", {
          x: node.x + side * 6 - 2.5,
          y: node.y + node.radius * 0.36,
          width: 5,
          height: node.radius * 0.4,
          fill: ink,
        }),
      );
    }
  }
  for (const dot of node.votes) {
    parts.push(
      element("circle", {
        cx: dot.x,
        cy: dot.y,
        r: 2.8,
        fill: dot.state === "granted" ? colour : "none",
        stroke: dot.state === "rejected" ? palette.muted : colour,
        ...(dot.state === "rejected" ? { "stroke-dasharray": "1.5 1.5" } : {}),
      }),
    );
  }
  const fill = gone ? palette.muted : palette.text;
  parts.push(
    text(node.nameAt.x, node.nameAt.y, node.name, {
      "text-anchor": node.textAnchor,
      fill,
      "font-size": 14,
      "font-family": SANS,
      "font-weight": 600,
    }),
    text(node.wordAt.x, node.wordAt.y, node.word, {
      "text-anchor": node.textAnchor,
      fill: palette.muted,
      "font-size": 12,
      "font-family": SANS,
    }),
  );
  return element("g", { "data-node": String(node.nodeId) }, `\n${parts.join("\n")}\n`);
}

function stripSvg(cell: StripCell, palette: Palette): string {
  const { x, y, width, height } = cell;
  const stroke = termColour(palette, cell.term);
  return element("rect", {
    x,
    y,
    width,
    height,
    rx: 1,
    fill: cell.committed ? stroke : "none",
    stroke,
    opacity: cell.faint ? 0.4 : 0.8,
    ...(cell.committed ? {} : { "stroke-dasharray": "2 1.5" }),
  });
}

function messageSvg(mark: MessageMark, scale: number, palette: Palette): string {
  const colour = termColour(palette, mark.term);
  const { shape } = mark;
  const parts = [
    element("line", {
      x1: mark.tail.x,
      y1: mark.tail.y,
      x2: mark.x,
      y2: mark.y,
      stroke: colour,
      opacity: 0.5,
    }),
    element(
      "g",
      {
        transform: `translate(${fixed(mark.x)} ${fixed(mark.y)}) rotate(${fixed((mark.angle * 180) / Math.PI)}) scale(${fixed(scale)})`,
      },
      element("path", {
        d: fixedPath(shape.outline),
        fill: shape.filled ? colour : palette.ground,
        "fill-opacity": shape.dashed && shape.filled ? 0.35 : 1,
        stroke: colour,
        "stroke-width": 1.6,
        ...(shape.dashed ? { "stroke-dasharray": "2.5 2" } : {}),
      }) +
        (shape.inner === ""
          ? ""
          : element("path", {
              d: fixedPath(shape.inner),
              stroke: palette.ground,
              "stroke-width": 1.4,
            })),
    ),
  ];
  if (mark.sign !== "") {
    parts.push(
      text(mark.x + 12, mark.y - 7, mark.sign, {
        fill: colour,
        "font-size": 12,
        "font-family": SANS,
      }),
    );
  }
  if (mark.crossed) {
    parts.push(
      element("path", {
        d: `M-5 -5L5 5M5 -5L-5 5`,
        transform: `translate(${fixed(mark.x)} ${fixed(mark.y)})`,
        stroke: palette.text,
        "stroke-width": 1.5,
      }),
    );
  }
  return element("g", { opacity: mark.opacity, "data-message": mark.key }, parts.join(""));
}

function pulseSvg(pulse: PulseMark, palette: Palette): string {
  const stroke = termColour(palette, pulse.term);
  const { from, to, label } = pulse;
  return (
    element("line", {
      x1: from.x,
      y1: from.y,
      x2: to.x,
      y2: to.y,
      stroke,
      "stroke-width": 2,
      opacity: pulse.opacity,
    }) +
    text(label.x, label.y, label.text, {
      fill: palette.muted,
      "font-size": 11,
      "font-family": SANS,
    })
  );
}

export function toSvg(scene: Scene, palette: Palette): string {
  const { stage, motion } = scene;
  const { width, height } = stage.layout.size;
  const walls = stage.walls.map((wall) => {
    const dots = wall.dots
      .map((dot) => element("circle", { cx: dot.x, cy: dot.y, r: 1.5, fill: palette.text }))
      .join("");
    const label =
      wall.label === null
        ? ""
        : text(wall.label.x, wall.label.y, wall.label.text, {
            fill: palette.muted,
            "font-size": 12,
            "font-family": SANS,
          });
    return element("g", { "data-wall": wall.key }, dots + label);
  });
  const parts = [
    element("rect", { width, height, fill: palette.ground }),
    ...stage.links.map((link) => linkSvg(link, palette)),
    ...walls,
    ...motion.pulses.map((pulse) => pulseSvg(pulse, palette)),
    ...stage.nodes.map((node) => nodeSvg(node, palette)),
    ...stage.strips.map((cell) => stripSvg(cell, palette)),
    ...motion.timers.map((timer) => timerSvg(timer, palette)),
    ...motion.messages.map((mark) => messageSvg(mark, stage.layout.scale, palette)),
  ];
  const viewBox = `0 0 ${fixed(width)} ${fixed(height)}`;
  return `${element("svg", { xmlns: "http://www.w3.org/2000/svg", viewBox }, `\n${parts.join("\n")}\n`)}\n`;
}
