/** The shell: one grid in which nothing overlaps. */
import { LogPanel } from "./panels/log.tsx";
import { SidePanels } from "./panels/side.tsx";
import { TapePanel } from "./panels/tape.tsx";
import { Help } from "./shell/help.tsx";
import { Notices } from "./shell/notices.tsx";
import { TopBar } from "./shell/top-bar.tsx";
import { Stage } from "./stage/stage.tsx";

export function App() {
  return (
    <div className="page">
      <TopBar />
      <main className="stage-area" aria-label="The cluster">
        <Stage />
      </main>
      <aside className="side" aria-label="Client and details">
        <SidePanels />
      </aside>
      <section className="log-area" aria-label="Logs">
        <LogPanel />
      </section>
      <section className="tape-area" aria-label="History">
        <TapePanel />
      </section>
      <Notices />
      <Help />
    </div>
  );
}
