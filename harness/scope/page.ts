/** The page around the programs of browser/, which find their places in it by id. */
import { CONTENT_POLICY } from '../../reports/content-policy.ts';
import { type Html, html, jsonScript, trusted } from '../../reports/html.ts';
import { EXERCISES } from './exercises.ts';
import { MEMBERS_MAX } from './live/live-cluster.ts';
import type { ScopeHead } from './scope-trace.ts';
import { STYLE } from './style.ts';
import type { StepKind } from './timeline/trace-index.ts';

/** Simulated time to real time. */
const SPEEDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10];

const LIVE_SPEED = 0.3;
/** A simulated message is under way for a millisecond or less. */
const PLAYER_SPEED = 0.01;

const STEP_KINDS: Readonly<Record<StepKind, string>> = {
  message: 'message',
  fact: 'fact',
  leader: 'new leader',
  fault: 'fault',
  op: 'operation',
  failure: 'failure',
};

const LIVE_KINDS: readonly StepKind[] = ['message', 'fact', 'leader', 'fault', 'op'];

export function playerPage(head: ScopeHead, packedEvents: string, script: string): string {
  return page({
    title: head.title,
    subtitle: `Seed ${head.seed}, ${head.memberNames.length} members`,
    tools: html`<div id="failure" class="banner" role="alert" hidden>
<strong>Failure</strong> <span id="failure-text"></span>
<button type="button" id="failure-go">Show it</button></div>`,
    aside: undefined,
    speed: PLAYER_SPEED,
    kinds: [...LIVE_KINDS, 'failure'],
    data: html`${jsonScript('scope-head', head)}
<script type="application/octet-stream" id="scope-events">${packedEvents}</script>`,
    script,
  });
}

export function livePage(script: string): string {
  return page({
    title: 'Raft, live',
    subtitle: 'The server’s own consensus core, running in this page',
    tools: liveTools(),
    aside: html`<section aria-labelledby="requests-title">
<h2 id="requests-title">Requests</h2>
<ol id="requests" class="requests"></ol>
<p class="quiet" id="no-requests">None yet: let a member have one with its envelope button.</p>
</section>`,
    speed: LIVE_SPEED,
    kinds: LIVE_KINDS,
    data: undefined,
    script,
  });
}

interface PageParts {
  readonly title: string;
  readonly subtitle: string;
  readonly tools: Html;
  readonly aside: Html | undefined;
  readonly speed: number;
  /** Kinds of events that one can step to. */
  readonly kinds: readonly StepKind[];
  readonly data: Html | undefined;
  readonly script: string;
}

function page({ title, subtitle, tools, aside, speed, kinds, data, script }: PageParts): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${trusted(STYLE)}</style>
</head>
<body>
<header>
<div class="heading"><h1>${title}</h1><p class="quiet">${subtitle}</p></div>
${tools}
</header>
<noscript><p>This page needs scripts. They are in this file; it asks the network for nothing.</p>
</noscript>
<main>
<section class="stage" aria-label="Members and messages">
<div id="ring" class="ring"></div>
<ul id="message-legend" class="legend" aria-label="Colours of messages"></ul>
</section>
<div class="side">
<section aria-labelledby="logs-title">
<h2 id="logs-title">Logs</h2>
<div id="logs" class="logs"></div>
</section>
${aside}
<section class="happenings" aria-labelledby="events-title">
<div class="title-row"><h2 id="events-title">Events</h2><div id="event-filter" class="filter"
role="group" aria-label="Which events are listed"></div></div>
<ol id="events" class="events"></ol>
</section>
</div>
</main>
${transport(speed, kinds)}
<div id="status" class="unseen" role="status"></div>
${data}
<script>${trusted(script)}</script>
</body>
</html>
`.markup;
}

function transport(speed: number, kinds: readonly StepKind[]): Html {
  const choices = kinds.map((kind) => html`<option value="${kind}">${STEP_KINDS[kind]}</option>`);
  const speeds = SPEEDS.map((each) => {
    const words = `${each}×`;
    return each === speed
      ? html`<option value="${each}" selected>${words}</option>`
      : html`<option value="${each}">${words}</option>`;
  });
  return html`<footer>
<div class="controls">
<button type="button" id="play" class="primary" aria-keyshortcuts="Space">Play</button>
<label>Speed <select id="speed">${speeds}</select></label>
<span class="stepper"><button type="button" id="step-back" aria-keyshortcuts="ArrowLeft"
aria-label="Previous of the chosen kind">◂ Previous</button>
<select id="step-kind" aria-label="Kind of event to step to">${choices}</select>
<button type="button" id="step-on" aria-keyshortcuts="ArrowRight"
aria-label="Next of the chosen kind">Next ▸</button></span>
<button type="button" id="to-end" hidden>Back to now</button>
<output id="clock" class="clock"></output>
</div>
<div class="timeline"><svg id="timeline" aria-hidden="true"></svg>
<input type="range" id="slider" min="0" max="1" step="any" value="0" aria-label="Time"></div>
<p class="quiet keys"><kbd>Space</kbd> play or pause <kbd>←</kbd> <kbd>→</kbd> step
<kbd>Shift</kbd>+<kbd>←</kbd> <kbd>→</kbd> 1 ms <kbd>Home</kbd> <kbd>End</kbd> start, end
${kinds.includes('failure') && html`<kbd>F</kbd> failure`}</p>
</footer>`;
}

function liveTools(): Html {
  const counts = Array.from({ length: MEMBERS_MAX }, (_, at) => {
    const count = at + 1;
    return count === 5 ? html`<option selected>${count}</option>` : html`<option>${count}</option>`;
  });
  const exercises = EXERCISES.map(({ id, title }) => html`<option value="${id}">${title}</option>`);
  return html`<form class="tools" id="settings" aria-label="The cluster">
<label>Exercise <select id="exercise"><option value="">free play</option>${exercises}</select></label>
<label>Members <select id="members">${counts}</select></label>
<label>Seed <input id="seed" type="number" min="0" max="4294967295" step="1" value="1"></label>
<label title="As in the server. Without them it is the Raft of the paper."><input id="careful"
type="checkbox" checked> pre-vote and leases</label>
<button type="submit" id="reset">Reset</button>
</form>
<div id="exercise-card" class="exercise" hidden></div>`;
}
