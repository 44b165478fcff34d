/**
 * The style sheet of a report. Colours are from palettes that colour-blind people can tell
 * apart; nothing is told by colour alone. `light-dark()` gives each colour its two themes.
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
  --valid: light-dark(#0a6b4b, #4fd1a1);
  --valid-soft: light-dark(#e3f5ee, #12332a);
  --invalid: light-dark(#b3261e, #ff8a80);
  --invalid-soft: light-dark(#fdeae8, #40191a);
  --unknown: light-dark(#8a5300, #f2b950);
  --unknown-soft: light-dark(#fff3dc, #3a2c10);
  --ok: light-dark(#0067b1, #5fb0f5);
  --fail: light-dark(#b0217a, #ff86c8);
  --info: light-dark(#b85400, #ffb057);
  --q-50: light-dark(#0067b1, #5fb0f5);
  --q-95: light-dark(#007a5c, #4fd1a1);
  --q-99: light-dark(#b85400, #ffb057);
  --q-max: light-dark(#57606a, #9aa4b1);
  --member-0: light-dark(#0067b1, #5fb0f5);
  --member-1: light-dark(#b85400, #ffb057);
  --member-2: light-dark(#007a5c, #4fd1a1);
  --member-3: light-dark(#b0217a, #ff86c8);
  --member-4: light-dark(#6a5a00, #e6d44a);
  --member-5: light-dark(#5b3fb0, #b9a3ff);
  --member-6: light-dark(#44505c, #b8c2cd);
  --fault-0: light-dark(#e69f00, #e69f00);
  --fault-1: light-dark(#56b4e9, #56b4e9);
  --fault-2: light-dark(#cc79a7, #cc79a7);
  --fault-3: light-dark(#00a37a, #00b386);
  --fault-4: light-dark(#9a8cf0, #9a8cf0);
  --fault-5: light-dark(#e8743b, #e8743b);
  --fault-6: light-dark(#c9b92c, #d6c83c);
  --fault-7: light-dark(#8d99a6, #8d99a6);
  --fault-8: light-dark(#c28f6b, #c28f6b);
  --fault-9: light-dark(#7fae3b, #8fbf4a);
  --on-fault: #14171c;
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
header, main, footer { max-width: 1160px; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1.5rem; }
footer { padding: 2rem 1.25rem; color: var(--quiet); font-size: .875rem; }
h1 { font-size: 1.375rem; margin: 0; line-height: 1.25; overflow-wrap: anywhere; }
h2 { font-size: 1.375rem; margin: 3rem 0 .75rem; line-height: 1.25; }
h3 { font-size: 1.0625rem; margin: 2rem 0 .25rem; }
p { margin: .25rem 0 .75rem; }
a { color: var(--accent); }
code, pre, svg.timeline text {
  font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
.quiet, .subtitle { color: var(--quiet); }
.subtitle { margin: .25rem 0 0; font-size: .9375rem; }
.nowrap { white-space: nowrap; }
.unseen {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}
.skip { position: absolute; left: -100vw; top: .5rem; background: var(--paper); padding: .5rem; }
.skip:focus { left: .5rem; z-index: 3; }
nav ul {
  display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; padding: 0;
  margin: .75rem 0 0; font-size: .9375rem;
}

.verdict {
  display: flex; flex-wrap: wrap; gap: .5rem 2rem; align-items: center; margin: 1.25rem 0 1rem;
  padding: 1rem 1.5rem; border-radius: 10px; border-left: 8px solid;
}
.verdict h2 { font-size: 2.5rem; margin: 0; letter-spacing: -.02em; }
.verdict .lead { font-size: 1.0625rem; margin: 0; }
.verdict-words { flex: 1 1 20rem; min-width: 0; overflow-wrap: anywhere; }
.verdict.valid { background: var(--valid-soft); border-color: var(--valid); }
.verdict.invalid { background: var(--invalid-soft); border-color: var(--invalid); }
.verdict.unknown { background: var(--unknown-soft); border-color: var(--unknown); }
.verdict.valid h2, .mark.valid, .effect.observed { color: var(--valid); }
.verdict.invalid h2, .mark.invalid { color: var(--invalid); }
.verdict.unknown h2, .mark.unknown, .effect.no-effect { color: var(--unknown); }
.effect { white-space: nowrap; font-weight: 600; }
.effect.skipped { color: var(--quiet); }
.reasons { margin: .5rem 0 0; padding-left: 1.25rem; }
.mark { font-weight: 700; }
.checks { list-style: none; padding: 0; margin: 0 0 1rem; }
.checks > li { display: flex; gap: .625rem; padding: .5rem 0; border-top: 1px solid var(--line); }
.checks > li:last-child { border-bottom: 1px solid var(--line); }
.checks > li > div { min-width: 0; flex: 1; overflow-wrap: anywhere; }
.checks p { margin: 0; }
.cards {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr));
  gap: .75rem; margin: 1rem 0;
}
.cards > div {
  background: var(--panel); border: 1px solid var(--line); border-radius: 8px;
  padding: .625rem .875rem;
}
.cards dt { color: var(--quiet); font-size: .875rem; }
.cards dd { margin: 0; }
.cards strong { display: block; font-size: 1.5rem; line-height: 1.3; font-weight: 600; }
.cards span { color: var(--quiet); font-size: .875rem; }
.commands { list-style: none; padding: 0; margin: 1rem 0; display: grid; gap: .5rem; }
.commands li { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: center; }
.commands .what { flex: 0 0 6.5rem; color: var(--quiet); font-size: .875rem; }
.commands code {
  flex: 1 1 16rem; min-width: 0; overflow-wrap: anywhere; background: var(--panel);
  border: 1px solid var(--line); border-radius: 6px; padding: .375rem .625rem; font-size: .875rem;
}
button, select {
  font: inherit; font-size: .875rem; color: var(--ink); background: var(--paper);
  border: 1px solid var(--quiet); border-radius: 6px; padding: .375rem .75rem; min-height: 2.25rem;
}
button { cursor: pointer; }
button:hover { border-color: var(--accent); color: var(--accent); }
select { max-width: 100%; }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
caption { text-align: left; color: var(--quiet); padding: .25rem 0 .5rem; }
caption span { position: sticky; left: 0; display: inline-block; max-width: calc(100vw - 4rem); }
th, td {
  text-align: left; vertical-align: top; padding: .375rem .875rem .375rem 0;
  border-top: 1px solid var(--line);
}
thead th { color: var(--quiet); font-weight: 600; white-space: nowrap; border-top: 0; }
tbody th { font-weight: 600; }
td { overflow-wrap: break-word; min-width: 4.5rem; }
table.wide { min-width: 56rem; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8125rem; }
details { margin: .5rem 0; }
summary { cursor: pointer; color: var(--accent); width: fit-content; }
.checks summary { font-size: .875rem; }

.tools {
  display: flex; flex-wrap: wrap; gap: .375rem .75rem; align-items: center; font-size: .9375rem;
}
.legend {
  display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; padding: 0;
  margin: .75rem 0; font-size: .875rem;
}
.swatch {
  display: inline-block; width: .875rem; height: .875rem; border-radius: 3px;
  background: var(--fault); vertical-align: -.0625rem;
}
${faultClasses()}
figure { margin: 0; }
figcaption { color: var(--quiet); font-size: .875rem; max-width: 52rem; margin: .25rem 0 .75rem; }
.plot { min-height: 300px; }
.plot .u-legend { text-align: left; font-size: .8125rem; margin: 0; padding-left: 50px; }
.plot .u-legend .u-value { min-width: 4.5rem; text-align: left; display: inline-block; }
.plot .u-legend th, .plot .u-legend td { border: 0; padding: 4px; }
.plot .u-legend th { font-weight: 500; }
.plot .u-select { background: color-mix(in srgb, var(--accent) 20%, transparent); }

.lane {
  display: grid; grid-template-columns: 62px minmax(0, 1fr); align-items: center;
  padding-right: 46px;
}
.lane + .lane { border-top: 1px solid var(--grid); }
.lane-name {
  font-size: .8125rem; color: var(--quiet); overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; padding-right: 6px; text-align: right;
}
.lane-window { overflow: hidden; }
.lane svg {
  display: block; width: calc(100% * var(--zoom, 1)); margin-left: calc(-100% * var(--shift, 0));
  overflow: visible;
}
.lane text { font-size: 12px; fill: var(--ink); }
.lane.time text { fill: var(--quiet); }
.lane.time .lane-window { overflow: visible; }
.leader { fill: var(--accent); }
.lane .on-leader { fill: var(--paper); font-weight: 600; }
.tiny text { display: none; }
.follower { fill: var(--quiet); opacity: .55; }
.unreachable { fill: url(#hatch); stroke: var(--quiet); stroke-width: .75; }
#hatch path { stroke: var(--quiet); stroke-width: 1.5; }
.fault { fill: var(--fault); }
.no-effect .fault {
  fill: transparent; stroke: var(--fault); stroke-dasharray: 4 3; stroke-width: 1.5;
}
.lane .fault-number, .timeline .fault-number { fill: var(--on-fault); font-size: 11px; }
.lane .no-effect .fault-number, .timeline .no-effect .fault-number { fill: var(--ink); }

.counterexample {
  border: 1px solid var(--line); border-radius: 10px; padding: .25rem 1.25rem 1rem;
  margin: 0 0 1rem;
}
.counterexample h3 { margin-top: 1rem; }
.sentence { font-size: 1.125rem; overflow-wrap: anywhere; }
.timeline { display: block; margin: .5rem 0; }
.timeline text { font-size: 12px; fill: var(--ink); }
.timeline .row-name, .timeline .tick { font-family: inherit; fill: var(--quiet); }
.timeline .tick { text-anchor: middle; }
.row-line { stroke: var(--grid); }
.guide { stroke: var(--line); stroke-dasharray: 2 4; }
.fault-shade { fill: var(--fault); opacity: .13; }
.no-effect .fault-shade { opacity: .04; }
.core .bar { stroke-width: 1.5; }
.core.ok .bar { fill: color-mix(in srgb, var(--ok) 16%, var(--paper)); stroke: var(--ok); }
.core.fail .bar { fill: color-mix(in srgb, var(--fail) 16%, var(--paper)); stroke: var(--fail); }
.core.info .bar {
  fill: color-mix(in srgb, var(--info) 16%, var(--paper)); stroke: var(--info);
  stroke-dasharray: 5 3;
}
.timeline .asked { font-weight: 600; font-size: 12.5px; }
.timeline .outcome { fill: var(--quiet); }
.context .bar { fill: var(--panel); stroke: var(--line); }
.context.info .bar { stroke-dasharray: 3 3; }
.timeline .context text { fill: var(--quiet); font-size: 10.5px; }
.open-end { stroke: var(--info); stroke-dasharray: 5 3; stroke-width: 1.5; }
.context .open-end { stroke: var(--line); }
.before { fill: none; stroke: var(--ink); stroke-width: 1.25; opacity: .7; }
.arrow-head { fill: var(--ink); }

@media (max-width: 560px) {
  .cards { grid-template-columns: 1fr 1fr; gap: .5rem; }
  .cards > div { padding: .5rem .625rem; }
  .commands .what { flex-basis: 100%; }
  .narrow text { display: none; }
  body { font-size: 15px; }
  header, main, footer { padding-left: .875rem; padding-right: .875rem; }
  .verdict { padding: .75rem 1rem; }
  .verdict h2 { font-size: 2rem; }
  .counterexample { padding: .25rem .75rem .75rem; }
  .plot .u-legend { padding-left: 0; }
}
@media print {
  :root { color-scheme: light; }
  body { font-size: 10pt; }
  nav, button, .tools, .skip { display: none; }
  section.chart, .cards > div, .verdict, tr { break-inside: avoid; }
  .scroll { overflow: visible; }
  .timeline { max-width: 100%; height: auto; }
  * { print-color-adjust: exact; }
}
`;

function faultClasses(): string {
  return Array.from(
    { length: 10 },
    (_, at) => `.fault-${at} { --fault: var(--fault-${at}); }`,
  ).join('\n');
}
