/** The log table of all nodes. */
export function LogPanel() {
  return null;
}
