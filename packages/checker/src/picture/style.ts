/** Ink and paper, as on the playground's page; colour says which key, red what can't be. */
export const PICTURE_STYLE = `
:root{color-scheme:dark light;--ground:#0d1117;--raised:#121821;--line:#232c39;--text:#e9e6df;
--muted:#94a0b0;--broken:#ff4d4f;--k0:#56b4e9;--k1:#e69f00;--k2:#cc79a7;--k3:#2fc08f;--k4:#f0e442;
--k5:#8fa8ff;--k6:#f2764b}
@media (prefers-color-scheme:light){:root{--ground:#f6f3ec;--raised:#fffdf8;--line:#dcd6c9;
--text:#1d232c;--muted:#5b6470;--broken:#c62020;--k0:#1b7fb8;--k1:#b87a00;--k2:#ab4a80;--k3:#0b8a61;
--k4:#a89a00;--k5:#4d67d1;--k6:#c8501f}}
*{box-sizing:border-box}
body{margin:0 auto;padding:20px 24px 40px;background:var(--ground);color:var(--text);
font:13px/1.45 Inter,system-ui,sans-serif}
header{max-width:76ch;margin-bottom:18px}
h1,.why,h2{font-family:Newsreader,"Iowan Old Style",Georgia,serif;font-weight:500;margin:0}
h1{font-size:32px;line-height:1.15}
.illegal h1{color:var(--broken)}
.why{font-size:17px;margin:4px 0 6px;overflow-wrap:anywhere}
h2{font-size:17px;margin:26px 0 8px}
p{margin:0}
.title,.muted{color:var(--muted);font-size:12px}
.title{margin-bottom:10px}
#help{max-width:100ch;margin-top:4px}
.bar{display:flex;flex-wrap:wrap;gap:6px;align-items:center;margin-bottom:8px}
#keys{display:flex;flex-wrap:wrap;gap:2px 10px;margin-left:10px;max-height:66px;overflow:auto}
button{font:inherit;color:inherit;background:none;border:1px solid var(--line);border-radius:3px;
padding:2px 9px;cursor:pointer}
button:hover{border-color:var(--muted)}
:focus-visible{outline:2px solid var(--text);outline-offset:2px}
#keys button{border:0;padding:2px 4px;font:12px "JetBrains Mono",ui-monospace,monospace;
max-width:24ch;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
#keys button[aria-pressed=false]{opacity:.4;text-decoration:line-through}
#keys i{display:inline-block;width:9px;height:9px;margin-right:5px}
#stage{position:relative;overflow:auto;height:min(62vh,680px);border:1px solid var(--line);
border-width:1px 0}
#canvas{position:sticky;top:0;left:0;display:block}
#room{position:absolute;top:0;left:0;pointer-events:none}
#told{min-height:38px;padding:8px 0 0;font:12px/1.5 "JetBrains Mono",ui-monospace,monospace;
overflow-wrap:anywhere}
table{border-collapse:collapse;font:12px/1.5 "JetBrains Mono",ui-monospace,monospace}
th,td{text-align:left;padding:2px 16px 2px 0;border-bottom:1px solid var(--line);
overflow-wrap:anywhere}
th{color:var(--muted);font-weight:400}
td:nth-child(-n+4){font-variant-numeric:tabular-nums;white-space:nowrap}
.impossible td,.impossible b{color:var(--broken)}
td button{padding:0 6px}
details{margin-top:26px}
summary{cursor:pointer;color:var(--muted)}
#table{margin-top:8px;max-height:70vh;overflow:auto}
`;
