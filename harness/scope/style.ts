/**
 * The page's style sheet. Colours are from palettes that colour-blind people can tell apart;
 * nothing is told by colour alone. `light-dark()` gives each colour its two themes.
 */
export const STYLE: string = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#ffffff, #14171c);
  --panel: light-dark(#f6f7f9, #1b1f26);
  --ink: light-dark(#1b1f24, #e6e9ee);
  --quiet: light-dark(#57606a, #9aa4b1);
  --line: light-dark(#d9dde3, #323943);
  --grid: light-dark(#e8ebef, #272d36);
  --accent: light-dark(#0b5cad, #7cb8f7);
  --good: light-dark(#0a6b4b, #4fd1a1);
  --bad: light-dark(#b3261e, #ff8a80);
  --bad-soft: light-dark(#fdeae8, #40191a);
  --warn: light-dark(#a04a00, #ffb057);
  --heartbeat: light-dark(#7a8694, #8d99a6);
  --append: light-dark(#0067b1, #5fb0f5);
  --vote: light-dark(#c25a00, #ffa04d);
  --snapshot: light-dark(#6a48c8, #b9a3ff);
  --client: light-dark(#007a5c, #4fd1a1);
  --other: light-dark(#1b1f24, #e6e9ee);
  --term-0: #c28f6b; --term-1: #56b4e9; --term-2: #e6a51f; --term-3: #2fb58b;
  --term-4: #cc79a7; --term-5: #9a8cf0; --term-6: #c9b92c; --term-7: #e8743b;
  --on-term: #14171c;
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink); min-height: 100vh;
  display: grid; grid-template-rows: auto 1fr auto; gap: .5rem;
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
header, main, footer, noscript { padding: 0 1.25rem; min-width: 0; }
header {
  display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1.5rem;
  padding-top: .625rem; padding-bottom: .625rem; border-bottom: 1px solid var(--line);
}
.heading { flex: 1 1 14rem; min-width: 0; }
h1 { font-size: 1.1875rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: .9375rem; margin: 0 0 .25rem; }
p { margin: 0; }
.heading p { font-size: .8125rem; }
.quiet { color: var(--quiet); }
.unseen {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}
[hidden] { display: none !important; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
button, select, input[type=number] {
  font: inherit; font-size: .875rem; color: var(--ink); background: var(--paper);
  border: 1px solid var(--quiet); border-radius: 6px; padding: .25rem .625rem; min-height: 2rem;
}
input[type=number] { width: 6.5rem; }
button { cursor: pointer; }
button:hover:enabled { border-color: var(--accent); color: var(--accent); }
button:disabled, select:disabled { opacity: .45; cursor: default; }
label { font-size: .875rem; white-space: nowrap; }
.tools { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; }
.banner {
  flex: 1 1 26rem; display: flex; gap: .25rem .75rem; align-items: center;
  padding: .375rem .75rem; border-radius: 8px; background: var(--bad-soft);
  border-left: 6px solid var(--bad); min-width: 0;
}
.banner strong { color: var(--bad); }
.banner span { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.banner button { flex: none; }
.exercise { flex: 1 0 100%; font-size: .875rem; display: grid; gap: .25rem; }
.exercise ul { list-style: none; margin: 0; padding: 0; }
.exercise li { display: flex; flex-wrap: wrap; gap: 0 .625rem; }
.exercise strong { flex: 0 0 5.25rem; }
.open strong { color: var(--quiet); }
.met strong { color: var(--good); }
.not-met strong { color: var(--bad); }

main { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 1.5rem; }
.stage { display: flex; flex-direction: column; align-items: center; min-width: 0; }
.ring { width: 100%; max-width: 680px; }
.ring > svg { display: block; width: 100%; height: 100%; }
.ring text { text-anchor: middle; fill: var(--ink); }
.links line { stroke: var(--grid); stroke-width: 1.5; }
.cuts line { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 6 5; }
.cuts path { stroke: var(--bad); stroke-width: 2.5; }
.track { fill: none; stroke: var(--grid); stroke-width: 5; }
.timer { fill: none; stroke: var(--quiet); stroke-width: 5; }
.body { fill: var(--panel); stroke: var(--quiet); stroke-width: 1.5; }
.node .name { font-size: 16px; font-weight: 700; }
.node .term { font-size: 11.5px; }
.node .role, .node .vote, .node .badge {
  paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round;
}
.node .role { font-size: 13px; font-weight: 700; fill: var(--quiet); }
.node .vote { font-size: 12px; fill: var(--quiet); }
.node .badge { font-size: 12px; font-weight: 600; fill: var(--warn); }
.node.leader .timer { stroke: var(--accent); }
.node.leader .body { stroke: var(--accent); stroke-width: 2.5; }
.node.leader .role { fill: var(--accent); }
.node.candidate .timer, .node.preCandidate .timer { stroke: var(--vote); }
.node.candidate .body, .node.preCandidate .body { stroke: var(--vote); stroke-width: 2.5; }
.node.candidate .role, .node.preCandidate .role { fill: var(--vote); }
.node.dead .body, .node.unknown .body { fill: var(--paper); stroke-dasharray: 4 4; }
.node.dead .body { stroke: var(--bad); stroke-width: 1.5; }
.node.dead .name, .node.dead .term { fill: var(--quiet); }
.node.dead .role { fill: var(--bad); }
.node.paused .body { stroke-dasharray: 10 4; fill: var(--grid); }
.node.paused .role { fill: var(--warn); }
.message { stroke-width: 2; fill: var(--kind); stroke: var(--kind); }
.message.answer { fill: var(--paper); stroke-width: 2.5; }
.cross { stroke: var(--kind, var(--bad)); stroke-width: 2.5; fill: none; }
${familyClasses()}
.node-buttons { display: flex; gap: 2px; justify-content: center; padding: 2px; }
.node-buttons button {
  padding: 0; width: 25px; height: 25px; min-height: 0; display: grid; place-items: center;
  border-color: var(--line);
}
.node-buttons svg { width: 14px; height: 14px; fill: currentColor; display: block; }
.node-buttons button[value=resume] { color: var(--good); border-color: var(--good); }
.legend {
  display: flex; flex-wrap: wrap; gap: .125rem .875rem; list-style: none; padding: 0;
  margin: .25rem 0 0; font-size: .8125rem; color: var(--quiet);
}
.legend li { display: flex; align-items: center; gap: .3125rem; }
.stage .legend { justify-content: center; }

.side { display: flex; flex-direction: column; gap: .875rem; min-width: 0; }
.logs table { border-collapse: separate; border-spacing: 2px; font-size: .8125rem; }
.logs th { font-weight: 600; text-align: center; color: var(--quiet); padding: 0; }
.logs thead th { font-weight: 400; font-size: .75rem; }
.logs th:first-child { text-align: left; padding-right: .5rem; min-width: 2.75rem; }
.logs .index { position: relative; height: 1.25rem; }
.logs .index span { position: absolute; left: 50%; top: 0; transform: translateX(-50%); }
.logs tbody th { color: var(--ink); }
.logs td { width: 28px; min-width: 28px; height: 24px; text-align: center; padding: 0; }
.logs .end { width: auto; padding-left: .5rem; color: var(--quiet); white-space: nowrap; }
.logs tr.dead td.entry { opacity: .45; }
.logs tr.dead th { color: var(--quiet); text-decoration: line-through; }
.entry { border: 1.5px solid var(--line); border-radius: 4px; }
.entry.committed { background: var(--term); border-color: var(--term); color: var(--on-term); }
.entry.open { border: 1.5px dashed var(--term); background: none; }
.entry.applied { box-shadow: inset 0 -4px 0 color-mix(in srgb, var(--term) 55%, #000); }
.entry.unstable { border-style: dotted; font-style: italic; opacity: .7; }
.entry.compacted { color: var(--quiet); }
.legend .entry {
  width: 1.25rem; height: 1.1875rem; display: inline-grid; place-items: center;
  font-size: .75rem;
}
${termClasses()}
.requests {
  display: flex; flex-wrap: wrap; gap: .25rem .375rem; list-style: none; margin: 0; padding: 0;
  font-size: .8125rem; max-height: 3.75rem; overflow-y: auto;
}
.requests li { border: 1px solid var(--line); border-radius: 6px; padding: .0625rem .4375rem; }
.requests .applied { border-color: var(--good); box-shadow: none; }
.requests .applied strong { color: var(--good); }
.requests .dropped, .requests .unknown { border-color: var(--warn); }
.requests .dropped strong, .requests .unknown strong { color: var(--warn); }
#no-requests { font-size: .875rem; }
.happenings { flex: 1 1 0; display: flex; flex-direction: column; min-height: 9rem; }
.title-row { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; }
.filter { display: flex; flex-wrap: wrap; gap: 0 .75rem; }
.filter label { font-size: .8125rem; color: var(--quiet); display: flex; align-items: center; }
.filter input { margin: 0 .25rem 0 0; }
.events {
  flex: 1 1 0; min-height: 0; overflow-y: auto; list-style: none; margin: 0; padding: 0;
  border-top: 1px solid var(--line); font-size: .8125rem;
}
.events li {
  display: grid; grid-template-columns: 4.75rem 4rem minmax(0, 1fr); gap: .5rem;
  align-items: start; padding: .125rem 0; border-bottom: 1px solid var(--grid); overflow-wrap: anywhere;
}
.events .time {
  border: 0; padding: 0; min-height: 0; background: none; color: var(--quiet);
  font-size: .8125rem; text-align: left;
}
.events .time:hover { text-decoration: underline; }
.events .who { font-weight: 600; }
.events .what {
  display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden;
}
.events .fault .who, .events .fault .what { color: var(--warn); }
.events .ok .what { color: var(--good); }
.events .failure { background: var(--bad-soft); }
.events .failure .who { color: var(--bad); }

footer {
  position: sticky; bottom: 0; background: var(--paper); border-top: 1px solid var(--line);
  padding-top: .5rem; padding-bottom: .5rem; z-index: 1;
}
.controls { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; }
.primary {
  background: var(--accent); border-color: var(--accent); color: var(--paper); font-weight: 600;
  min-width: 4.75rem;
}
.primary:hover:enabled { color: var(--paper); filter: brightness(1.1); }
.stepper { display: inline-flex; gap: .25rem; }
.clock { margin-left: auto; font-size: 1.0625rem; font-weight: 600; white-space: nowrap; }
.timeline { margin-top: .5rem; }
.timeline svg { display: block; width: 100%; cursor: pointer; }
.timeline input { display: block; width: 100%; margin: 0; height: 18px; accent-color: var(--accent); }
.known { fill: var(--grid); }
.timeline rect[class^=term] { fill: var(--term); }
.lane-text { font-size: 11px; fill: var(--on-term); pointer-events: none; }
.timeline .fault {
  fill: color-mix(in srgb, var(--warn) 22%, var(--paper)); stroke: var(--warn);
}
.timeline .fault + .lane-text { fill: var(--ink); font-size: 10px; }
.failure-line, .failure-mark { fill: var(--bad); }
.cursor { stroke: var(--ink); stroke-width: 1.5; }
.keys { font-size: .75rem; margin-top: .25rem; }
kbd {
  font: inherit; border: 1px solid var(--line); border-radius: 4px; padding: 0 .25rem;
  margin-left: .5rem;
}
@media (min-width: 901px) and (min-height: 600px) {
  body { height: 100vh; grid-template-rows: auto minmax(0, 1fr) auto; }
  main, .side { min-height: 0; }
  .side { overflow-y: auto; }
  .ring { flex: 1 1 0; min-height: 0; }
}
@media (max-width: 900px) {
  main { grid-template-columns: minmax(0, 1fr); }
  .events { max-height: 18rem; }
  .logs { overflow-x: auto; }
  .clock { margin-left: 0; }
}
@media (max-width: 560px) {
  .keys { display: none; }
  header, main, footer { padding-left: .75rem; padding-right: .75rem; }
}
@media print { footer, .node-buttons, .tools { display: none; } }
`;

function familyClasses(): string {
  return ['heartbeat', 'append', 'vote', 'snapshot', 'client', 'other']
    .map((family) => `.${family} { --kind: var(--${family}); }`)
    .join('\n');
}

function termClasses(): string {
  return Array.from({ length: 8 }, (_, at) => `.term-${at} { --term: var(--term-${at}); }`).join(
    '\n',
  );
}
