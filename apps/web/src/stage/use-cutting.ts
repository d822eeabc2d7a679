/** A stroke across the stage cuts the links that it crosses. */
import type { LinkMark, Point } from "@raftarium/scene";
import { useRef, useState, type PointerEvent, type RefObject } from "react";

/** A shorter one is a click. */
const STROKE_MIN = 8;

function side(a: Point, b: Point, point: Point): number {
  return Math.sign((b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x));
}

function crosses(a: Point, b: Point, c: Point, d: Point): boolean {
  return side(a, b, c) !== side(a, b, d) && side(c, d, a) !== side(c, d, b);
}

export interface Cutting {
  /** The stroke under way, as an SVG path; empty: none. */
  readonly stroke: string;
  /** Whether the click that follows belongs to a stroke, and is to be ignored. */
  readonly wasStroke: () => boolean;
  readonly handlers: {
    readonly onPointerDown: (event: PointerEvent) => void;
    readonly onPointerMove: (event: PointerEvent) => void;
    readonly onPointerUp: (event: PointerEvent) => void;
    readonly onPointerCancel: () => void;
  };
}

export function useCutting(
  stage: RefObject<HTMLElement | null>,
  links: readonly LinkMark[],
  onCut: (crossed: readonly LinkMark[]) => void,
): Cutting {
  const points = useRef<Point[] | null>(null);
  const finished = useRef(false);
  const [stroke, setStroke] = useState("");

  const pointOf = (event: PointerEvent): Point => {
    const box = stage.current?.getBoundingClientRect();
    return { x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) };
  };
  const end = () => {
    points.current = null;
    setStroke("");
  };
  return {
    stroke,
    wasStroke: () => finished.current,
    handlers: {
      onPointerDown(event) {
        finished.current = false;
        // A finger scrolls; it cuts by the link's own menu.
        if (event.button !== 0 || event.pointerType === "touch") return;
        if (event.target instanceof HTMLButtonElement) return;
        points.current = [pointOf(event)];
      },
      onPointerMove(event) {
        const path = points.current;
        const last = path?.at(-1);
        if (path === null || last === undefined) return;
        const at = pointOf(event);
        if (Math.hypot(at.x - last.x, at.y - last.y) < 4) return;
        path.push(at);
        setStroke(`M${path.map((point) => `${point.x},${point.y}`).join("L")}`);
      },
      onPointerUp(event) {
        const path = points.current;
        const first = path?.[0];
        end();
        if (path === null || first === undefined) return;
        path.push(pointOf(event));
        const length = path.reduce(
          (sum, point, at) =>
            at === 0 ? 0 : sum + Math.hypot(point.x - path[at - 1]!.x, point.y - path[at - 1]!.y),
          0,
        );
        if (length < STROKE_MIN) return;
        finished.current = true;
        const crossed = links.filter((link) =>
          path.some((point, at) => at > 0 && crosses(path[at - 1]!, point, link.from, link.to)),
        );
        if (crossed.length > 0) onCut(crossed);
      },
      onPointerCancel: end,
    },
  };
}
