/** The exercise under way: its story, what is expected, and whether it came true. */
import { assertNever } from '../../../src/lib/assert.ts';
import type { ExerciseRun, Judgement } from '../exercise-run.ts';
import type { Expectation } from '../exercises.ts';
import { element } from './dom.ts';

export class ExerciseCard {
  readonly #card: HTMLElement;
  #run: ExerciseRun | undefined;
  #judged = -1;

  constructor(card: HTMLElement) {
    this.#card = card;
  }

  draw(run: ExerciseRun | undefined): void {
    const judged = run?.judgements.filter((each) => each !== undefined).length ?? 0;
    if (run === this.#run && judged === this.#judged) return;
    this.#run = run;
    this.#judged = judged;
    this.#card.hidden = run === undefined;
    if (run === undefined) return;
    const { exercise, judgements } = run;
    const items = exercise.expect.map((expectation, at) => item(expectation, judgements[at]));
    this.#card.replaceChildren(
      element('p', {}, exercise.story),
      element('ul', { 'aria-label': 'Expected' }, ...items),
    );
  }
}

function item(expectation: Expectation, judgement: Judgement | undefined): HTMLElement {
  const expected = element('span', {}, expectationWords(expectation));
  if (judgement === undefined) {
    return element('li', { class: 'open' }, element('strong', {}, 'Expected'), expected);
  }
  const { holds, sentence } = judgement;
  const sign = element('strong', {}, holds ? '✓ Met' : '✗ Not met');
  return element(
    'li',
    { class: holds ? 'met' : 'not-met', title: sentence },
    sign,
    expected,
    element('span', { class: 'quiet' }, sentence),
  );
}

function expectationWords(expectation: Expectation): string {
  const by = `at ${expectation.byMs / 1e3} s`;
  switch (expectation.type) {
    case 'leader':
      return expectation.laterThanAtMs === undefined
        ? `One leads and the others follow ${by}.`
        : `One leads, in a later term, ${by}.`;
    case 'noLeader':
      return `Nobody leads ${by}.`;
    case 'committed':
      return `Requests are acknowledged ${by}.`;
    case 'notCommitted':
      return `Nothing is committed or acknowledged ${by}.`;
    case 'logsEqual':
      return `All logs are equal ${by}.`;
    default:
      return assertNever(expectation);
  }
}
