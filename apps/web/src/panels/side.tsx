/** The right column: client, inspector, what happened. */
export function SidePanels() {
  return null;
}
