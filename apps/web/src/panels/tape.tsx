/** The tape: history, and the way back into it. */
export function TapePanel() {
  return null;
}
