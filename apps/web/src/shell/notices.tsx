import type { CommandResult } from "../commands.ts";
import { ui } from "../state/ui.ts";
import { useUi } from "../state/use.ts";

/**
 * Says what was refused, and why. What was done shows itself.
 * @param afterwards what should be known of it once it is done, if it doesn't.
 */
export function report(asked: Promise<CommandResult>, afterwards = ""): void {
  // Commands answer in every case; there is nothing to catch.
  void asked.then((result) => {
    if (!result.ok) ui.notice(result.message, "refused");
    else if (afterwards !== "") ui.notice(afterwards);
  });
}

export function Notices() {
  const notices = useUi((state) => state.notices);
  return (
    <div className="notices" role="status" aria-live="polite">
      {notices.map((notice) => (
        <div key={notice.id} className="notice">
          <span>{notice.text}</span>
          <button type="button" aria-label="Dismiss" onClick={() => ui.dismiss(notice.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
