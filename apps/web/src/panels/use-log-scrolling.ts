import { useCallback, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useMedia } from "../state/use.ts";
import type { LogTable } from "./log-model.ts";
import { CELL_WIDTH, type Sight } from "./log-painter.ts";

/** The same as in tables.css and tape.css. */
const NAME_WIDTH = 150;
const NAME_WIDTH_NARROW = 92;
const NARROW = "(max-width: 860px)";
/** Empty columns after the newest entry, where the next will come. */
const SPARE_COLUMNS = 2;
const OVERSCAN = 3;

/** Which columns are in sight. Follows the newest entries until a person scrolls back. */
export function useLogScrolling(table: LogTable) {
  const scroller = useRef<HTMLDivElement | null>(null);
  const [box, setBox] = useState({ left: 0, width: 1200 });
  const [following, setFollowing] = useState(true);
  const nameWidth = useMedia(NARROW) ? NAME_WIDTH_NARROW : NAME_WIDTH;
  const fits = Math.max(1, Math.floor((box.width - nameWidth) / CELL_WIDTH));
  const filled = table.lastIndex - table.firstIndex + 1 + SPARE_COLUMNS;
  const columns = Math.max(fits, filled);
  const leftMax = Math.max(0, nameWidth + columns * CELL_WIDTH - box.width);
  const pinned = useRef({ following: true, firstIndex: table.firstIndex, leftMax: 0 });

  useLayoutEffect(() => {
    const element = scroller.current;
    const { current } = pinned;
    if (element === null) return;
    const shift = (table.firstIndex - current.firstIndex) * CELL_WIDTH;
    current.firstIndex = table.firstIndex;
    // To set it, even to what it is, would cost a layout.
    if (current.following && current.leftMax !== leftMax) element.scrollLeft = leftMax;
    else if (!current.following && shift !== 0) element.scrollLeft -= shift;
    current.leftMax = leftMax;
  }, [leftMax, table.firstIndex]);

  // The scroller comes into being with the first entry.
  const watch = useCallback((element: HTMLDivElement) => {
    scroller.current = element;
    const measure = () => setBox({ left: element.scrollLeft, width: element.clientWidth });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => {
      scroller.current = null;
      observer.disconnect();
    };
  }, []);

  const onScroll = () => {
    const element = scroller.current;
    if (element === null) return;
    const atEnd = element.scrollLeft >= element.scrollWidth - element.clientWidth - CELL_WIDTH;
    // Whoever follows knows where that leads: no need to render again for it.
    if (atEnd && pinned.current.following) return;
    pinned.current.following = atEnd;
    setFollowing(atEnd);
    setBox({ left: element.scrollLeft, width: element.clientWidth });
  };
  const goNewest = () => {
    pinned.current.following = true;
    pinned.current.leftMax = leftMax;
    setFollowing(true);
    scroller.current?.scrollTo({ left: leftMax });
  };
  /** Scrolls no more than is needed to have this column in sight. */
  const reveal = (index: number) => {
    const element = scroller.current;
    if (element === null) return;
    const left = (index - table.firstIndex) * CELL_WIDTH;
    const width = element.clientWidth - nameWidth;
    if (left < element.scrollLeft) element.scrollTo({ left });
    else if (left + CELL_WIDTH > element.scrollLeft + width) {
      element.scrollTo({ left: left + CELL_WIDTH - width });
    }
  };
  const first = Math.floor((following ? leftMax : box.left) / CELL_WIDTH);
  const from = table.firstIndex + Math.max(0, first - OVERSCAN);
  const to = table.firstIndex + Math.min(columns - 1, first + fits + 1 + OVERSCAN);
  const sight = useMemo((): Sight => ({ from, to }), [from, to]);
  return {
    scroller,
    watch,
    onScroll,
    following,
    goNewest,
    reveal,
    sight,
    columns,
    nameWidth,
    leftMax,
  };
}
