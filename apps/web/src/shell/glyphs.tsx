/** The shapes of messages, small and without a term: for the legend and the help. */
import { shapeOf } from "@raftarium/scene";
import { BLANK_SUMMARY, type MessageKind } from "@raftarium/observer";

interface GlyphProps {
  readonly kind: MessageKind;
  readonly reply?: boolean;
  readonly entries?: number;
}

export function Glyph({ kind, reply = false, entries = 0 }: GlyphProps) {
  const shape = shapeOf({ ...BLANK_SUMMARY, kind, reply, entryCount: entries });
  return (
    <svg width="20" height="16" viewBox="-10 -8 20 16" aria-hidden="true">
      <path
        className={shape.filled ? "glyph" : "glyph hollow"}
        d={shape.outline}
        strokeDasharray={shape.dashed ? "2.5 2" : undefined}
        fillOpacity={shape.dashed ? 0.3 : undefined}
      />
      {shape.inner === "" ? null : <path className="glyph-inner" d={shape.inner} />}
    </svg>
  );
}
