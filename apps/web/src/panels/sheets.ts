/** On a phone the log and the tape are sheets: which of them is open. */
import { useSyncExternalStore } from "react";
import { createStore } from "../state/store.ts";

export type LogTab = "log" | "store";

export interface SheetState {
  /** On a phone: whether the log (or store) is up. */
  readonly logOpen: boolean;
  readonly tapeOpen: boolean;
  readonly tab: LogTab;
}

export const sheets = createStore<SheetState>({ logOpen: false, tapeOpen: false, tab: "log" });

const subscribe = (listener: () => void) => sheets.subscribe(listener);
const read = () => sheets.get();

export function useSheets(): SheetState {
  return useSyncExternalStore(subscribe, read, read);
}

// The grid areas of the page are the shell's; a mark on the root tells them, and costs nothing.
sheets.subscribe(() => {
  const { logOpen, tapeOpen } = sheets.get();
  document.documentElement.toggleAttribute("data-log-open", logOpen);
  document.documentElement.toggleAttribute("data-tape-open", tapeOpen);
});
