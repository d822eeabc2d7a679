/**
 * What draws the bars, in the page itself: one canvas over what is in view, so that ten thousand
 * operations scroll as lightly as ten; one operation at a time is chosen, and told in words.
 */
export const PICTURE_SCRIPT = String.raw`
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const { bars, clients, lanes, keys, faults } = data;
const $ = (id) => document.getElementById(id);
const stage = $("stage"), canvas = $("canvas"), room = $("room"), told = $("told");
const GUTTER = 64, TOP = 38, ROW = 24, BAR = 16, COLOURS = 7, WIDTH_MAX = 8e6;
let start = Infinity, end = -Infinity;
for (const { from, to } of bars) {
  start = Math.min(start, from);
  end = Math.max(end, to === null ? from : to);
}
if (!(end >= start)) start = end = 0;
if (end === start) end = start + 1;
const span = (end - start) * 1.04;
const order = bars.map((_, at) => at).sort((a, b) => bars[a].from - bars[b].from || a - b);
const rows = clients.map(() => []);
for (const at of order) rows[bars[at].c].push(at);
// Lanes of all clients, one below the other: whose each is, and where each client's begin.
const clientAt = lanes.flatMap((count, c) => Array(count).fill(c));
const firstLane = [];
for (const [at, c] of clientAt.entries()) firstLane[c] ??= at;
const rowOf = ({ c, lane = 0 }) => firstLane[c] + lane;
const windowBars = order.filter((at) => bars[at].window);
const impossible = bars.findIndex((bar) => bar.impossible);
const hidden = new Set();
let scale = 1, chosen = -1, asked = false, look = {};

function wide() { return Math.max(50, stage.clientWidth - GUTTER); }
function readLook() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  look = { ground: of("--ground"), line: of("--line"), text: of("--text"), muted: of("--muted"),
    broken: of("--broken"), raised: of("--raised"),
    keys: Array.from({ length: COLOURS }, (_, at) => of("--k" + at)) };
}
function units(time) {
  const size = Math.abs(time);
  const of = (unit, name) => Number((time / unit).toFixed(3)) + " " + name;
  if (size >= 1e9) return of(1e9, "s");
  if (size >= 1e6) return of(1e6, "ms");
  if (size >= 1e3) return of(1e3, "µs");
  return of(1, time === 0 ? "" : "ns").trim();
}
function setScale(wanted, pivotTime, pivotX) {
  const least = wide() / span;
  scale = Math.min(Math.max(wanted, least), Math.max(least, WIDTH_MAX / span, 40));
  if (span * scale > WIDTH_MAX * 2) scale = (WIDTH_MAX * 2) / span;
  room.style.width = GUTTER + span * scale + "px";
  const tall = TOP + clientAt.length * ROW + 16;
  room.style.height = tall + "px";
  stage.style.height = "min(62vh, " + (tall + 30) + "px)";
  stage.scrollLeft = (pivotTime - start) * scale - pivotX;
  ask();
}
function zoom(factor, x = wide() / 2) {
  setScale(scale * factor, start + (stage.scrollLeft + x) / scale, x);
}
function fitTo(from, to) {
  const length = Math.max(to - from, 1);
  setScale((wide() * 0.8) / length, from, wide() * 0.1);
}
function ask() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => { asked = false; draw(); });
}
function draw() {
  const width = stage.clientWidth, height = stage.clientHeight, ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = width + "px";
    canvas.style.height = height + "px";
  }
  const paint = canvas.getContext("2d");
  paint.setTransform(ratio, 0, 0, ratio, 0, 0);
  paint.fillStyle = look.ground;
  paint.fillRect(0, 0, width, height);
  const left = stage.scrollLeft, top = stage.scrollTop;
  const x = (time) => GUTTER + (time - start) * scale - left;
  drawGrid(paint, width, height, left, x);
  const drawNames = drawFaults(paint, width, height, x);
  const yOf = (bar) => TOP + rowOf(bar) * ROW - top + (ROW - BAR) / 2;
  const row = (y) => Math.min(Math.max(0, Math.floor((y - TOP) / ROW)), clientAt.length - 1);
  const first = clientAt[row(top)] ?? 0, last = clientAt[row(top + height)] ?? -1;
  for (let c = first; c <= last; c += 1) {
    paint.fillStyle = look.line;
    paint.fillRect(0, TOP + (firstLane[c] + lanes[c]) * ROW - top - 1, width, 0.5);
    for (const at of rows[c]) {
      if (at !== impossible) drawBar(paint, at, x, yOf(bars[at]), width);
    }
  }
  drawNames();
  // Last, so that nothing lies on its mark.
  if (impossible !== -1) drawBar(paint, impossible, x, yOf(bars[impossible]), width);
  paint.fillStyle = look.ground;
  paint.fillRect(0, 0, width, TOP - 12);
  drawTimes(paint, width, left, x);
  paint.fillStyle = look.ground;
  paint.fillRect(0, 0, GUTTER - 4, height);
  paint.fillStyle = look.muted;
  paint.font = "11px Inter, system-ui, sans-serif";
  paint.textAlign = "right";
  for (let c = first; c <= last; c += 1) {
    paint.fillText(String(clients[c]), GUTTER - 12, TOP + firstLane[c] * ROW - top + 16);
  }
  paint.fillStyle = look.ground;
  paint.fillRect(0, 0, GUTTER - 4, TOP - 12);
  paint.fillStyle = look.muted;
  paint.fillText("client", GUTTER - 12, 18);
  paint.textAlign = "left";
}
function stepOf() {
  const rough = 110 / scale;
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
}
function drawGrid(paint, width, height, left, x) {
  const step = stepOf();
  paint.fillStyle = look.line;
  for (let n = Math.floor(left / scale / step); x(start + n * step) <= width; n += 1) {
    paint.fillRect(x(start + n * step), TOP - 12, 0.5, height);
  }
}
function drawTimes(paint, width, left, x) {
  const step = stepOf();
  paint.font = "11px 'JetBrains Mono', ui-monospace, monospace";
  paint.fillStyle = look.muted;
  for (let n = Math.floor(left / scale / step); x(start + n * step) <= width; n += 1) {
    paint.fillText(units(n * step), x(start + n * step) + 3, 18);
  }
}
// Hands back what draws their names: above the bars, where they can be read.
function drawFaults(paint, width, height, x) {
  paint.font = "11px Inter, system-ui, sans-serif";
  const ends = [], names = [];
  for (const { label, from, to } of faults) {
    const begin = Math.max(GUTTER - 4, x(from));
    const stop = to === null ? width : Math.min(width, x(to));
    if (stop < GUTTER || begin > width) continue;
    paint.fillStyle = look.muted;
    paint.globalAlpha = 0.14;
    paint.fillRect(begin, TOP - 12, Math.max(1.5, stop - begin), height);
    paint.globalAlpha = 1;
    let lane = ends.findIndex((used) => used < begin);
    if (lane === -1) lane = ends.length;
    ends[lane] = begin + paint.measureText(label).width + 10;
    names.push([label, begin + 4, height - 8 - lane * 16]);
  }
  return () => { for (const [label, left, y] of names) drawOnGround(paint, label, left, y, look.muted); };
}
function drawOnGround(paint, text, left, y, colour) {
  paint.font = "11px Inter, system-ui, sans-serif";
  paint.fillStyle = look.ground;
  paint.fillRect(left - 3, y - 11, paint.measureText(text).width + 6, 14);
  paint.fillStyle = colour;
  paint.fillText(text, left, y);
}
function drawBar(paint, at, x, y, width) {
  const bar = bars[at];
  if (hidden.has(bar.k)) return;
  const open = bar.outcome === "unknown";
  const begin = x(bar.from);
  if (begin > width) return;
  let stop = bar.to === null ? x(end) : x(bar.to);
  if (open && bar.to === null) stop = Math.max(stop, begin + 30);
  if (stop < GUTTER - 4) return;
  const length = Math.max(3, stop - begin);
  const colour = look.keys[bar.k % COLOURS];
  const isHollow = bar.op === "get" || bar.refused === true;
  paint.globalAlpha = windowBars.length > 0 && !bar.window ? 0.35 : 1;
  if (bar.outcome === "fail") {
    paint.fillStyle = look.muted;
    paint.fillRect(begin, y + BAR / 2, length, 1);
  } else if (open) {
    const shown = Math.min(length, width + 60 - begin);
    const fade = paint.createLinearGradient(begin, 0, begin + Math.min(160, shown), 0);
    fade.addColorStop(0, colour);
    fade.addColorStop(1, "transparent");
    paint.fillStyle = fade;
    paint.fillRect(begin, y, Math.min(160, shown), BAR);
    paint.fillStyle = colour;
    paint.globalAlpha *= 0.5;
    for (let dot = begin + 160; dot < begin + shown; dot += 8) {
      if (dot > GUTTER) paint.fillRect(dot, y + BAR / 2, 2, 1.5);
    }
    paint.globalAlpha = windowBars.length > 0 && !bar.window ? 0.35 : 1;
    paint.fillRect(begin, y, 2, BAR);
  } else if (isHollow) {
    paint.fillStyle = look.ground;
    paint.fillRect(begin, y, length, BAR);
    paint.strokeStyle = colour;
    paint.lineWidth = 1.5;
    paint.setLineDash(bar.refused ? [3, 2] : []);
    paint.strokeRect(begin + 0.75, y + 0.75, Math.max(1, length - 1.5), BAR - 1.5);
    paint.setLineDash([]);
  } else {
    paint.fillStyle = colour;
    paint.fillRect(begin, y, length, BAR);
  }
  drawOnBar(paint, bar, at, x, begin, Math.min(stop, begin + length), y, isHollow || open);
  paint.globalAlpha = 1;
}
function drawOnBar(paint, bar, at, x, begin, stop, y, isHollow) {
  const ink = isHollow || paint.globalAlpha < 1 ? look.text : look.ground;
  if (bar.at !== undefined) {
    // A foot below the bar, where it hides no word.
    paint.fillStyle = look.text;
    const foot = Math.min(Math.max(x(bar.at), begin + 1), Math.max(begin + 1, stop - 1));
    paint.fillRect(foot - 1, y + BAR - 2, 2, 6);
  }
  const from = Math.max(begin, GUTTER - 4) + 6;
  if (stop - from > 44) {
    paint.save();
    paint.beginPath();
    paint.rect(from - 4, y, stop - from + 1, BAR);
    paint.clip();
    paint.fillStyle = ink;
    paint.font = "11px 'JetBrains Mono', ui-monospace, monospace";
    paint.fillText(bar.text, from, y + 12);
    paint.restore();
  }
  if (bar.window || at === chosen) {
    paint.strokeStyle = bar.impossible ? look.broken : look.text;
    paint.lineWidth = at === chosen ? 3 : 2;
    paint.strokeRect(begin - 2, y - 2, Math.max(3, stop - begin) + 4, BAR + 4);
  }
  if (bar.impossible) {
    paint.fillStyle = look.broken;
    paint.beginPath();
    paint.moveTo(begin - 6, y - 7);
    paint.lineTo(begin + 6, y - 7);
    paint.lineTo(begin, y);
    paint.fill();
    drawOnGround(paint, "fits nowhere", Math.max(begin, GUTTER - 4) + 9, y - 5, look.broken);
  }
}
function words(at) {
  const bar = bars[at];
  const ended = bar.to === null ? "no answer" : "answered at " + units(bar.to - start) +
    " (after " + units(bar.to - bar.from) + ")";
  const parts = ["client " + clients[bar.c], bar.text, "asked at " + units(bar.from - start), ended];
  if (bar.outcome === "unknown") parts.push("outcome unknown");
  if (bar.outcome === "fail") parts.push("failed: no effect");
  if (bar.line !== undefined) parts.push("line " + bar.line);
  if (bar.impossible) parts.push("fits nowhere");
  else if (bar.window) parts.push("in the window");
  if (bar.at !== undefined) parts.push("takes effect at " + units(bar.at - start) +
    " in the order that was found");
  return parts.join(" · ");
}
function choose(at, bring = true) {
  chosen = at;
  told.textContent = words(at);
  if (bring) {
    const bar = bars[at];
    const from = (bar.from - start) * scale;
    const to = ((bar.to === null ? bar.from : bar.to) - start) * scale;
    if (from < stage.scrollLeft || to > stage.scrollLeft + wide()) {
      stage.scrollLeft = from - wide() / 3;
    }
    const y = rowOf(bar) * ROW;
    const seen = stage.clientHeight - TOP - ROW;
    if (y < stage.scrollTop || y > stage.scrollTop + seen) stage.scrollTop = y - seen / 2;
  }
  ask();
}
function beside(by) {
  if (chosen === -1) return order[0];
  const row = rows[bars[chosen].c];
  return row[row.indexOf(chosen) + by];
}
function across(by) {
  if (chosen === -1) return order[0];
  const { c, from } = bars[chosen];
  let best;
  for (const at of rows[c + by] || []) {
    if (best === undefined || Math.abs(bars[at].from - from) < Math.abs(bars[best].from - from)) {
      best = at;
    }
  }
  return best;
}
function showWindow() {
  if (windowBars.length === 0) return;
  let from = Infinity, to = -Infinity;
  for (const at of windowBars) {
    from = Math.min(from, bars[at].from);
    to = Math.max(to, bars[at].to === null ? bars[at].from : bars[at].to);
  }
  fitTo(from, to);
  choose(impossible === -1 ? windowBars[0] : impossible);
}
function fitAll() { setScale(0, start, 0); }
const actions = {
  ArrowRight: () => beside(1), ArrowLeft: () => beside(-1),
  ArrowDown: () => across(1), ArrowUp: () => across(-1),
  Home: () => order[0], End: () => order[order.length - 1],
  w: () => windowBars[(windowBars.indexOf(chosen) + 1) % windowBars.length],
  "+": () => { zoom(1.5); }, "=": () => { zoom(1.5); }, "-": () => { zoom(1 / 1.5); },
  0: () => { fitAll(); },
};
stage.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const act = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (act === undefined) return;
  event.preventDefault();
  const next = act();
  if (next !== undefined) choose(next);
});
function barAt(event) {
  const box = stage.getBoundingClientRect();
  const px = event.clientX - box.left, py = event.clientY - box.top;
  const row = Math.floor((py - TOP + stage.scrollTop) / ROW);
  const time = start + (px - GUTTER + stage.scrollLeft) / scale;
  const slack = 3 / scale;
  let found;
  for (const at of rows[clientAt[row]] || []) {
    const { from, to, k } = bars[at];
    if (rowOf(bars[at]) !== row) continue;
    if (!hidden.has(k) && from - slack <= time && (to === null || to + slack >= time)) found = at;
  }
  return found;
}
stage.addEventListener("click", (event) => {
  const at = barAt(event);
  if (at !== undefined) choose(at, false);
});
stage.addEventListener("pointermove", (event) => {
  const at = barAt(event);
  stage.style.cursor = at === undefined ? "" : "pointer";
  if (at !== undefined) canvas.title = words(at);
  else canvas.removeAttribute("title");
});
stage.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  const x = event.clientX - stage.getBoundingClientRect().left - GUTTER;
  zoom(event.deltaY < 0 ? 1.25 : 0.8, x);
}, { passive: false });
stage.addEventListener("scroll", ask);
new ResizeObserver(() => setScale(scale, start + stage.scrollLeft / scale, 0)).observe(stage);
matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => { readLook(); ask(); });
$("in").onclick = () => zoom(1.5);
$("out").onclick = () => zoom(1 / 1.5);
$("fit").onclick = fitAll;
$("jump").hidden = impossible === -1;
$("jump").onclick = () => { showWindow(); stage.focus(); };
for (const cell of document.querySelectorAll("[data-time]")) {
  cell.textContent = units(Number(cell.dataset.time) - start);
}
for (const button of document.querySelectorAll("[data-bar]")) {
  button.setAttribute("aria-label", "Show the operation of line " + button.textContent);
  button.onclick = () => { choose(Number(button.dataset.bar)); stage.focus(); };
}
keys.slice(0, 60).forEach((key, at) => {
  const button = document.createElement("button");
  const patch = document.createElement("i");
  patch.style.background = "var(--k" + (at % COLOURS) + ")";
  button.type = "button";
  button.append(patch, key);
  button.setAttribute("aria-pressed", "true");
  button.onclick = () => {
    const isShown = hidden.has(at);
    if (isShown) hidden.delete(at); else hidden.add(at);
    button.setAttribute("aria-pressed", String(isShown));
    ask();
  };
  $("keys").append(button);
});
$("all").addEventListener("toggle", () => {
  if ($("table").firstChild) return;
  const table = document.createElement("table");
  const add = (cells, tag) => {
    const row = document.createElement("tr");
    for (const text of cells) row.appendChild(document.createElement(tag)).textContent = text;
    table.append(row);
  };
  add(["client", "call", "return", "outcome", "operation"], "th");
  for (const at of order) {
    const { c, from, to, outcome, text } = bars[at];
    add([clients[c], units(from - start), to === null ? "" : units(to - start), outcome, text], "td");
  }
  $("table").append(table);
});
readLook();
fitAll();
if (windowBars.length > 0) showWindow();
`;
