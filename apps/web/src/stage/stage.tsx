/**
 * The stage: React decides what exists (nodes, links, walls), the painter writes where the moving
 * things are, frame by frame, on a canvas between the drawing and the buttons.
 */
import { nodeById, nodeLabel, type MessageFlight } from "@raftarium/observer";
import type { LinkMark, NodeMark, Size } from "@raftarium/scene";
import { useCallback, useEffect, useLayoutEffect, useRef, useState, type MouseEvent } from "react";
import { report } from "../shell/notices.tsx";
import { ui } from "../state/ui.ts";
import { useCommands, useFrame, useTimeline, useTimelineItself, useUi } from "../state/use.ts";
import { strike } from "./deeds.ts";
import type { Anchor } from "./floating.tsx";
import { Legend } from "./legend.tsx";
import { LinkPopover } from "./link-popover.tsx";
import { LinkLabels, LinkShape, Wall } from "./links.tsx";
import { MessagePopover } from "./message-popover.tsx";
import { NodeMenu } from "./node-menu.tsx";
import { Notes } from "./notes.tsx";
import { NodeShape } from "./nodes.tsx";
import { createPainter, type Painter } from "./painter.ts";
import { useCutting } from "./use-cutting.ts";
import { useStage } from "./use-stage.ts";

type Open =
  | { readonly kind: "node"; readonly nodeId: number; readonly anchor: Anchor }
  | { readonly kind: "link"; readonly a: number; readonly b: number; readonly anchor: Anchor }
  | { readonly kind: "message"; readonly flight: MessageFlight; readonly anchor: Anchor };

function useSize(element: React.RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const observed = element.current;
    if (observed === null) return;
    const measure = () => {
      const { width, height } = observed.getBoundingClientRect();
      setSize({ width, height });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(observed);
    return () => observer.disconnect();
  }, [element]);
  return size;
}

function usePainter(canvas: React.RefObject<HTMLCanvasElement | null>, size: Size) {
  const painter = useRef<Painter | null>(null);
  const theme = useUi((state) => state.theme);
  useLayoutEffect(() => {
    if (canvas.current === null) return;
    painter.current ??= createPainter(canvas.current);
    painter.current.resize(size, devicePixelRatio);
  }, [canvas, size]);
  useEffect(() => painter.current?.setTheme(theme), [theme]);
  useEffect(() => {
    const query = matchMedia("(prefers-reduced-motion: reduce)");
    const tell = () => painter.current?.setStill(query.matches);
    tell();
    query.addEventListener("change", tell);
    return () => query.removeEventListener("change", tell);
  }, []);
  useFrame((frame) => painter.current?.draw(frame));
  return painter;
}

interface NodeButtonProps {
  readonly mark: NodeMark;
  readonly open: boolean;
  readonly onPress: (nodeId: number, element: HTMLElement) => void;
}

function NodeButton({ mark, open, onPress }: NodeButtonProps) {
  const label = useTimeline(({ view }) => {
    const node = nodeById(view, mark.nodeId);
    return node === undefined ? "" : nodeLabel(node);
  });
  const radius = mark.timerRadius;
  const box = {
    left: mark.x - radius,
    top: mark.y - radius,
    width: 2 * radius,
    height: 2 * radius,
  };
  return (
    <button
      type="button"
      className="node-button"
      style={box}
      aria-label={label}
      aria-haspopup="menu"
      aria-expanded={open}
      onClick={(event) => onPress(mark.nodeId, event.currentTarget)}
    />
  );
}

function EmptyStage() {
  const connection = useTimeline((state) => state.connection);
  const empty = useTimeline((state) => state.view.nodes.length === 0);
  const live = useTimeline((state) => state.live);
  if (!empty) return null;
  if (!live) {
    return (
      <div className="empty-stage">
        <p>Before the first node</p>
        <p className="muted">Nothing was known of the cluster yet.</p>
      </div>
    );
  }
  return (
    <div className="empty-stage">
      <p>
        {connection.state === "lost" ? "The cluster can't be seen." : "Looking for the cluster…"}
      </p>
      <p className="muted">
        {connection.state === "lost"
          ? connection.detail
          : "Its nodes appear here as soon as they run."}
      </p>
    </div>
  );
}

export function Stage() {
  const commands = useCommands();
  const timeline = useTimelineItself();
  const hammer = useUi((state) => state.hammer);
  const selected = useUi((state) => state.selectedNodeId);
  const stale = useTimeline((state) => state.connection.state === "lost");
  const element = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const opener = useRef<HTMLElement | SVGElement | null>(null);
  const size = useSize(element);
  const marks = useStage(size);
  const painter = usePainter(canvas, size);
  const [open, setOpen] = useState<Open | null>(null);

  const close = useCallback(() => {
    setOpen(null);
    opener.current?.focus();
    opener.current = null;
  }, []);

  const cutting = useCutting(element, marks.links, (crossed) => {
    const cut = { cut: true, delayMs: 0, jitterMs: 0, dropRate: 0, duplicateRate: 0 };
    for (const { a, b } of crossed) {
      report(commands.setLink(a, b, { ...cut, messageKinds: [] }));
      report(commands.setLink(b, a, { ...cut, messageKinds: [] }));
    }
  });

  const pressNode = (nodeId: number, button: HTMLElement) => {
    ui.select(nodeId);
    const node = nodeById(timeline.getState().view, nodeId);
    if (hammer && node !== undefined) {
      report(strike(node, commands));
      return;
    }
    opener.current = button;
    setOpen({ kind: "node", nodeId, anchor: button.getBoundingClientRect() });
  };

  const openLink = useCallback((mark: LinkMark, line: SVGElement) => {
    opener.current = line;
    const box = line.getBoundingClientRect();
    const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    const anchor = { left: x - 20, right: x + 20, top: y - 60, bottom: y + 20 };
    setOpen({ kind: "link", a: mark.a, b: mark.b, anchor });
  }, []);

  /** A message lies over whatever else is there; a stroke is no click. */
  const onClickCapture = (event: MouseEvent) => {
    if (event.target instanceof HTMLButtonElement) return;
    if (cutting.wasStroke()) {
      event.stopPropagation();
      return;
    }
    const box = element.current?.getBoundingClientRect();
    if (box === undefined || event.detail === 0) return;
    const [x, y] = [event.clientX, event.clientY];
    const flight = painter.current?.messageAt(x - box.left, y - box.top);
    if (flight === null || flight === undefined) return;
    event.stopPropagation();
    setOpen({ kind: "message", flight, anchor: { left: x, right: x, top: y, bottom: y } });
  };

  const names = ["stage", hammer ? "hammer" : "", stale ? "stale" : ""].join(" ");
  return (
    <>
      <div ref={element} className={names} onClickCapture={onClickCapture} {...cutting.handlers}>
        {/* Before the links: nobody should have to tab through all of them to a node. */}
        {marks.nodes.map((mark) => (
          <NodeButton
            key={mark.nodeId}
            mark={mark}
            open={open?.kind === "node" && open.nodeId === mark.nodeId}
            onPress={pressNode}
          />
        ))}
        <svg>
          <title>Nodes on a ring, the links between them, and what is cut</title>
          <g>
            {marks.links.map((mark) => (
              <LinkShape key={`${mark.a}-${mark.b}`} mark={mark} onOpen={openLink} />
            ))}
          </g>
          <g aria-hidden="true">
            {marks.walls.map((mark) => (
              <Wall key={mark.key} mark={mark} />
            ))}
            {marks.links.map((mark) => (
              <LinkLabels key={`${mark.a}-${mark.b}`} mark={mark} />
            ))}
            {marks.nodes.map((mark) => (
              <NodeShape key={mark.nodeId} mark={mark} selected={mark.nodeId === selected} />
            ))}
          </g>
          {cutting.stroke === "" ? null : <path className="cut-stroke" d={cutting.stroke} />}
        </svg>
        <canvas ref={canvas} aria-hidden="true" />
        <Legend layout={marks.layout} />
        <Notes />
        <EmptyStage />
      </div>
      {open?.kind === "node" ? (
        <NodeMenu key={open.nodeId} nodeId={open.nodeId} anchor={open.anchor} onClose={close} />
      ) : null}
      {open?.kind === "link" ? (
        <LinkPopover a={open.a} b={open.b} anchor={open.anchor} onClose={close} />
      ) : null}
      {open?.kind === "message" ? (
        <MessagePopover flight={open.flight} anchor={open.anchor} onClose={close} />
      ) : null}
    </>
  );
}
