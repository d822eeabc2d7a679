/** Something that opens beside what was clicked, stays within the window, and closes by Escape. */
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from "react";

export interface Anchor {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

interface FloatingProps {
  readonly anchor: Anchor;
  readonly className: string;
  readonly role: "menu" | "dialog";
  readonly label: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly onKeyDown?: (event: React.KeyboardEvent<HTMLDivElement>) => void;
}

const GAP = 10;
const MARGIN = 8;

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(value, max));
}

export function Floating(props: FloatingProps) {
  const { anchor, onClose } = props;
  const box = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ left: -9999, top: -9999 });

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const { width, height } = element.getBoundingClientRect();
    const right = anchor.right + GAP;
    const fits = right + width + MARGIN <= innerWidth;
    const left = fits ? right : anchor.left - GAP - width;
    setPlace({
      left: clamp(left, MARGIN, innerWidth - width - MARGIN),
      top: clamp(anchor.top - 6, MARGIN, innerHeight - height - MARGIN),
    });
  }, [anchor]);

  useEffect(() => {
    const onDown = (event: PointerEvent) => {
      if (event.target instanceof Node && box.current?.contains(event.target)) return;
      onClose();
    };
    document.addEventListener("pointerdown", onDown, true);
    return () => document.removeEventListener("pointerdown", onDown, true);
  }, [onClose]);

  return (
    <div
      ref={box}
      className={props.className}
      role={props.role}
      aria-label={props.label}
      style={place}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          onClose();
        } else props.onKeyDown?.(event);
      }}
    >
      {props.children}
    </div>
  );
}
