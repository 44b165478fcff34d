/** One member on the ring: who it is, what it believes, and how long it will wait. */
import type { FaultWindow } from '../timeline/fault-windows.ts';
import type { MemberAt } from '../timeline/trace-index.ts';
import { setAttributes, setText, svg } from './dom.ts';
import { arcPath, NODE_RADIUS, type Point } from './ring-layout.ts';

const ROLE_WORDS = {
  follower: 'follower',
  preCandidate: 'pre-candidate',
  candidate: 'candidate',
  leader: 'leader',
} as const;

export class NodeFigure {
  readonly group: SVGGElement;
  readonly #name: string;
  readonly #timer = svg('path', { class: 'timer' });
  readonly #term = svg('text', { class: 'term', y: 15 });
  readonly #role = svg('text', { class: 'role', y: 54 });
  readonly #vote = svg('text', { class: 'vote', y: 69 });
  readonly #badge = svg('text', { class: 'badge', y: -44 });

  constructor(name: string, { x, y }: Point) {
    this.#name = name;
    this.group = svg(
      'g',
      { transform: `translate(${x} ${y})`, role: 'group', 'data-node': name },
      svg('circle', { class: 'track', r: NODE_RADIUS - 2 }),
      this.#timer,
      svg('circle', { class: 'body', r: NODE_RADIUS - 6 }),
      svg('text', { class: 'name', y: -2 }, name),
      this.#term,
      this.#role,
      this.#vote,
      this.#badge,
    );
  }

  draw(at: MemberAt | undefined, faults: readonly FaultWindow[]): void {
    const kinds = [...new Set(faults.map(({ kind }) => kind))].join(', ');
    setText(this.#badge, kinds);
    if (at === undefined) {
      setAttributes(this.group, { class: 'node unknown', 'aria-label': `${this.#name}: no news` });
      return;
    }
    const { state, role, term, vote } = at.member;
    const runs = state === 'running';
    const words = state === 'dead' ? 'stopped' : ROLE_WORDS[role];
    setAttributes(this.group, {
      class: `node ${state} ${role}`,
      'data-role': state === 'dead' ? 'stopped' : role,
      'data-term': term,
      'aria-label': `${this.#name}: ${words}${state === 'paused' ? ', paused' : ''}, term ${term}`,
    });
    setText(this.#term, `term ${term}`);
    setText(this.#role, state === 'paused' ? `${words}, paused` : words);
    setText(this.#vote, vote === undefined ? 'no vote' : `voted ${vote}`);
    setAttributes(this.#timer, { d: arcPath(NODE_RADIUS - 2, shareOf(at, runs)) });
  }
}

/** A leader has no such timer; its full circle marks it. */
function shareOf({ member, elapsedTicks }: MemberAt, runs: boolean): number {
  if (member.state === 'dead') return 0;
  if (member.role === 'leader') return runs ? 1 : 0;
  return Math.min(1, elapsedTicks / member.electionTimeoutTicks);
}
