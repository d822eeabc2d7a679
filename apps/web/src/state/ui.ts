/** What the page itself remembers: what is selected, held, open. Nothing of the cluster. */
import { createStore } from "./store.ts";

export type Theme = "dark" | "light";
export type Sheet = "log" | "tape" | null;

export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly tone: "plain" | "refused";
}

export interface UiState {
  /** The node that the inspector shows; null: none chosen. */
  readonly selectedNodeId: number | null;
  /** With the hammer, a click on a node crashes or restarts it. */
  readonly hammer: boolean;
  readonly theme: Theme;
  readonly notices: readonly Notice[];
  readonly helpOpen: boolean;
}

const THEME_KEY = "raftarium.theme";
const NOTICES_MAX = 3;
const NOTICE_MS = 6000;

function storedTheme(): Theme | null {
  try {
    const stored = localStorage.getItem(THEME_KEY);
    return stored === "dark" || stored === "light" ? stored : null;
  } catch {
    // Storage may be forbidden; the system's choice serves.
    return null;
  }
}

const darkQuery = matchMedia("(prefers-color-scheme: dark)");

function systemTheme(): Theme {
  return darkQuery.matches ? "dark" : "light";
}

export const uiStore = createStore<UiState>({
  selectedNodeId: null,
  hammer: false,
  theme: storedTheme() ?? systemTheme(),
  notices: [],
  helpOpen: false,
});

function showTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
}

showTheme(uiStore.get().theme);
darkQuery.addEventListener("change", () => {
  if (storedTheme() === null) ui.setTheme(systemTheme(), false);
});

let noticeId = 0;

export const ui = {
  select(nodeId: number | null): void {
    uiStore.update((state) => ({ ...state, selectedNodeId: nodeId }));
  },
  setHammer(hammer: boolean): void {
    uiStore.update((state) => ({ ...state, hammer }));
  },
  setHelp(helpOpen: boolean): void {
    uiStore.update((state) => ({ ...state, helpOpen }));
  },
  /** @param keep remember it for the next visit. */
  setTheme(theme: Theme, keep = true): void {
    showTheme(theme);
    uiStore.update((state) => ({ ...state, theme }));
    if (!keep) return;
    try {
      localStorage.setItem(THEME_KEY, theme);
    } catch {
      // Then it holds for this visit only.
    }
  },
  /** Says something in passing; it goes away by itself. */
  notice(text: string, tone: Notice["tone"] = "plain"): void {
    noticeId += 1;
    const notice = { id: noticeId, text, tone };
    uiStore.update((state) => {
      const others = state.notices.filter((other) => other.text !== text);
      return { ...state, notices: [...others, notice].slice(-NOTICES_MAX) };
    });
    setTimeout(() => ui.dismiss(notice.id), NOTICE_MS);
  },
  dismiss(id: number): void {
    uiStore.update((state) => ({
      ...state,
      notices: state.notices.filter((notice) => notice.id !== id),
    }));
  },
};
