import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/shell.css";
import "./styles/stage.css";
import "./styles/panels.css";
import "./styles/tables.css";
import "./styles/tape.css";
import { App } from "./app.tsx";
import { createLiveSource } from "./sources/live.ts";
import { createRecordedSource } from "./sources/recorded.ts";
import type { Source } from "./sources/source.ts";
import { createLoop } from "./state/loop.ts";
import { createTimeline } from "./state/timeline.ts";
import { ServicesContext } from "./state/use.ts";

function chooseSource(): Source {
  const parameters = new URLSearchParams(location.search);
  const recording = parameters.get("recording");
  if (recording !== null) return createRecordedSource(recording, parameters);
  return createLiveSource(createGrpcWebTransport({ baseUrl: location.origin }));
}

const timeline = createTimeline();
const source = chooseSource();
const loop = createLoop(timeline);
source.start(timeline);
loop.start();

const root = document.getElementById("root");
if (root === null) throw new Error("expected an element with id root in index.html, found none");
createRoot(root).render(
  <StrictMode>
    <ServicesContext value={{ timeline, loop, commands: source.commands }}>
      <App />
    </ServicesContext>
  </StrictMode>,
);
