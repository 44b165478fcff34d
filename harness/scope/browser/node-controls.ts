/** The buttons below each member of the live cluster, in the drawing, so that they go with it. */
import { assertNever } from '../../../src/lib/assert.ts';
import type { LiveCluster } from '../live/live-cluster.ts';
import { element, setAttributes, svg } from './dom.ts';

type Action = 'stop' | 'resume' | 'pause' | 'restart' | 'timeOut' | 'request';

/** Drawn in a square of 16, so that no font is needed. */
const LOOKS: Readonly<Record<Action, { readonly words: string; readonly path: string }>> = {
  stop: { words: 'Stop', path: 'M4 4h8v8H4z' },
  resume: { words: 'Resume', path: 'M5 3l8 5-8 5z' },
  pause: { words: 'Pause', path: 'M4 3h3v10H4zM9 3h3v10H9z' },
  restart: {
    words: 'Restart',
    path: 'M8 2.5a5.5 5.5 0 1 0 5.5 5.5h-2A3.5 3.5 0 1 1 8 4.5V7l4-3.5L8 0z',
  },
  timeOut: {
    words: 'Time out',
    path: 'M6 0h4v2H9v1.1A6 6 0 1 1 7 3.1V2H6zM7.2 5v4.5l3 2 .9-1.3-2.3-1.6V5z',
  },
  request: { words: 'Request', path: 'M1 3h14l-7 5.5zM1 5.2V13h14V5.2L8 10.7z' },
};

const BUTTON_ACTIONS = ['stop', 'pause', 'restart', 'timeOut', 'request'] as const;

interface Controls {
  readonly name: string;
  readonly buttons: ReadonlyMap<(typeof BUTTON_ACTIONS)[number], HTMLButtonElement>;
}

export class NodeControls {
  readonly #controls: readonly Controls[];
  readonly #cluster: LiveCluster;

  /** `ring` holds the drawing already; `acted` is told what was done. */
  constructor(ring: HTMLElement, cluster: LiveCluster, acted: (words: string) => void) {
    this.#cluster = cluster;
    const { names } = cluster;
    this.#controls = names.map((name) => {
      const buttons = BUTTON_ACTIONS.map((action) => {
        const button = element('button', { type: 'button' });
        button.addEventListener('click', () => {
          const done = button.value as Action;
          cluster[done](name);
          acted(`${name}: ${LOOKS[done].words}`);
        });
        return [action, button] as const;
      });
      const row = element('div', { class: 'node-buttons' }, ...buttons.map(([, each]) => each));
      const place = svg('foreignObject', { x: -70, y: 75, width: 140, height: 29 }, row);
      ring.querySelector(`[data-node="${name}"]`)?.append(place);
      return { name, buttons: new Map(buttons) };
    });
  }

  /** `enabled`: one looks at the present, the only time at which something can be done. */
  draw(enabled: boolean): void {
    for (const { name, buttons } of this.#controls) {
      const { state } = this.#cluster.member(name);
      for (const [action, button] of buttons) {
        button.disabled = !enabled || !isPossible(action, state);
        const shown = actionOf(action, state);
        if (button.value === shown) continue;
        button.value = shown;
        const { words, path } = LOOKS[shown];
        setAttributes(button, { title: `${words} ${name}`, 'aria-label': `${words} ${name}` });
        const icon = svg('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' });
        icon.append(svg('path', { d: path }));
        button.replaceChildren(icon);
      }
    }
  }
}

type State = 'running' | 'paused' | 'dead';

/** The button that stops or pauses a member also brings it back. */
function actionOf(action: (typeof BUTTON_ACTIONS)[number], state: State): Action {
  if (action === 'stop' && state === 'dead') return 'resume';
  return action === 'pause' && state === 'paused' ? 'resume' : action;
}

function isPossible(action: (typeof BUTTON_ACTIONS)[number], state: State): boolean {
  switch (action) {
    case 'stop':
    case 'request':
      return true;
    case 'pause':
      return state !== 'dead';
    case 'restart':
    case 'timeOut':
      return state === 'running';
    default:
      return assertNever(action);
  }
}
