/** A node's menu: only what would act now looks alive; the rest says why not. */
import { nodeById } from "@raftarium/observer";
import { useEffect, useRef, type KeyboardEvent } from "react";
import { report } from "../shell/notices.tsx";
import { ui } from "../state/ui.ts";
import { useCommands, useTimeline } from "../state/use.ts";
import { deedsOf, type Deed } from "./deeds.ts";
import { Floating, type Anchor } from "./floating.tsx";

interface NodeMenuProps {
  readonly nodeId: number;
  readonly anchor: Anchor;
  readonly onClose: () => void;
}

function moveFocus(list: HTMLElement, key: string): boolean {
  const items = [...list.querySelectorAll<HTMLElement>("[role=menuitem]")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const count = items.length;
  const next =
    key === "ArrowDown"
      ? (at + 1) % count
      : key === "ArrowUp"
        ? (at - 1 + count) % count
        : key === "Home"
          ? 0
          : key === "End"
            ? count - 1
            : -1;
  if (next < 0) return false;
  items[next]?.focus();
  return true;
}

export function NodeMenu({ nodeId, anchor, onClose }: NodeMenuProps) {
  const commands = useCommands();
  const view = useTimeline((state) => state.view);
  const list = useRef<HTMLDivElement>(null);
  const node = nodeById(view, nodeId);

  useEffect(() => {
    list.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
  }, []);

  if (node === undefined) return null;
  const choose = (deed: Deed) => {
    if (deed.reason !== null) {
      ui.notice(`${deed.name} would do nothing to node ${nodeId}: ${deed.reason}.`);
      return;
    }
    onClose();
    report(deed.run(), deed.afterwards);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Tab") onClose();
    else if (list.current !== null && moveFocus(list.current, event.key)) event.preventDefault();
  };
  return (
    <Floating
      anchor={anchor}
      className="menu"
      role="menu"
      label={`What to do to node ${nodeId}`}
      onClose={onClose}
      onKeyDown={onKeyDown}
    >
      <div ref={list} role="presentation">
        {commands.unavailable === null ? null : (
          <p className="menu-title">{commands.unavailable}</p>
        )}
        {deedsOf(view, node, commands).map((deed) => (
          <button
            key={deed.name}
            type="button"
            role="menuitem"
            tabIndex={-1}
            className="menu-item"
            aria-label={deed.name}
            aria-disabled={deed.reason !== null}
            aria-description={deed.reason ?? deed.hint}
            data-hint={commands.unavailable === null ? (deed.reason ?? deed.hint) : deed.hint}
            onClick={() => choose(deed)}
          >
            {deed.name}
          </button>
        ))}
      </div>
    </Floating>
  );
}
