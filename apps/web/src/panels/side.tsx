/** The right column: client, inspector, what happened. */
import { ClientPanel } from "./client-panel.tsx";
import { FeedPanel } from "./feed-panel.tsx";
import { Inspector } from "./inspector.tsx";

export function SidePanels() {
  return (
    <>
      <ClientPanel />
      <Inspector />
      <FeedPanel />
    </>
  );
}
