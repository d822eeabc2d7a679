/** Below the stage: the logs of all nodes, or their stores. */
import type { KeyboardEvent } from "react";
import { LogGrid } from "./log-table.tsx";
import { sheets, useSheets, type LogTab } from "./sheets.ts";
import { StoreGrid } from "./store-table.tsx";

const TABS: readonly { readonly tab: LogTab; readonly name: string }[] = [
  { tab: "log", name: "Log" },
  { tab: "store", name: "Store" },
];

function choose(tab: LogTab): void {
  sheets.update((state) => ({ ...state, tab }));
}

function onKeyDown(event: KeyboardEvent<HTMLDivElement>): void {
  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
  event.preventDefault();
  const other = sheets.get().tab === "log" ? "store" : "log";
  choose(other);
  event.currentTarget.querySelector<HTMLElement>(`#tab-${other}`)?.focus();
}

export function LogPanel() {
  const { tab } = useSheets();
  return (
    <div className="log-panel">
      <div className="tabs" role="tablist" aria-label="Logs or stores" onKeyDown={onKeyDown}>
        {TABS.map(({ tab: each, name }) => (
          <button
            key={each}
            type="button"
            role="tab"
            id={`tab-${each}`}
            aria-selected={tab === each}
            aria-controls="log-tabpanel"
            tabIndex={tab === each ? 0 : -1}
            onClick={() => choose(each)}
          >
            {name}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="log-tabpanel" aria-labelledby={`tab-${tab}`} className="tabpanel">
        {tab === "log" ? <LogGrid /> : <StoreGrid />}
      </div>
    </div>
  );
}
