/** Plays an exercise on a live cluster and compares what came of it with what was expected. */
import { assert, assertNever } from '../../src/lib/assert.ts';
import { equalBytes } from '../../src/lib/bytes.ts';
import type { Entry } from '../../src/raft/message.ts';
import type { Exercise, ExerciseStep, ExerciseTarget, Expectation } from './exercises.ts';
import { LiveCluster, type LiveOptions } from './live/live-cluster.ts';
import type { LiveRequest } from './live/requests.ts';

export interface Judgement {
  readonly holds: boolean;
  /** What was found, in one sentence. */
  readonly sentence: string;
}

/** All of the exercise's expectations, under some seed. */
export function runExercise(exercise: Exercise, seed = 1): Judgement {
  const options: LiveOptions = { memberCount: exercise.members, seed };
  const run = new ExerciseRun(exercise, new LiveCluster(options, { trace: () => undefined }));
  run.advanceTo(run.endNs);
  const judgements = run.judgements.map((each) => {
    assert(each !== undefined, 'an expectation was not judged by the end');
    return each;
  });
  return {
    holds: judgements.every(({ holds }) => holds),
    sentence: judgements.map(({ sentence }) => sentence).join(' '),
  };
}

interface Leading {
  readonly name: string;
  readonly term: number;
}

export class ExerciseRun {
  readonly exercise: Exercise;
  /** One for each expectation; undefined until its time has come. */
  readonly judgements: (Judgement | undefined)[];
  readonly #cluster: LiveCluster;
  readonly #requests: LiveRequest[] = [];
  /** Who led at the moments that expectations refer to. */
  readonly #ledAt = new Map<number, Leading | undefined>();
  #stepsDone = 0;

  /** `cluster` is new, and has as many members as the exercise. */
  constructor(exercise: Exercise, cluster: LiveCluster) {
    assert(cluster.names.length === exercise.members, `${exercise.members} members are needed`);
    this.exercise = exercise;
    this.#cluster = cluster;
    this.judgements = exercise.expect.map(() => undefined);
  }

  get endNs(): number {
    const { steps, expect } = this.exercise;
    return Math.max(...[...steps, ...expect].map((each) => timeOf(each) * 1e6));
  }

  /** The cluster comes to `atNs`; whatever the exercise has until then is done on the way. */
  advanceTo(atNs: number): void {
    for (const ms of this.#stops()) {
      const stopNs = ms * 1e6;
      if (stopNs > atNs) break;
      if (stopNs < this.#cluster.nowNs) continue;
      this.#cluster.advanceTo(stopNs);
      this.#stopAt(ms);
    }
    this.#cluster.advanceTo(atNs);
  }

  #stops(): number[] {
    const { steps, expect } = this.exercise;
    const references = expect.flatMap((each) =>
      each.type === 'leader' && each.laterThanAtMs !== undefined ? [each.laterThanAtMs] : [],
    );
    const all = [...references, ...[...steps, ...expect].map(timeOf)];
    return [...new Set(all)].sort((a, b) => a - b);
  }

  /** Expectations first: what is asked for at their moment cannot have come true. */
  #stopAt(ms: number): void {
    if (!this.#ledAt.has(ms)) this.#ledAt.set(ms, this.#leading());
    for (const [at, expectation] of this.exercise.expect.entries()) {
      if (expectation.byMs === ms) this.judgements[at] ??= this.#judge(expectation);
    }
    for (;;) {
      const step = this.exercise.steps[this.#stepsDone];
      if (step === undefined || step.atMs > ms) return;
      this.#stepsDone++;
      this.#do(step);
    }
  }

  #do({ action, node }: ExerciseStep): void {
    const name = this.#resolve(node);
    // A reader who takes part may have left nobody to act on.
    if (name === undefined) return;
    if (action !== 'request') {
      this.#cluster[action](name);
      return;
    }
    this.#cluster.request(name);
    this.#requests.push(this.#cluster.requests.at(-1)!);
  }

  #resolve(target: ExerciseTarget): string | undefined {
    const { names } = this.#cluster;
    const leader = this.#leading()?.name;
    const stateOf = (name: string) => this.#cluster.member(name).state;
    switch (target) {
      case 'leader':
        return leader;
      case 'follower':
        return names.find((name) => name !== leader && stateOf(name) === 'running');
      case 'running':
        return names.find((name) => stateOf(name) === 'running');
      case 'stopped':
        return names.find((name) => stateOf(name) === 'dead');
      default:
        return target;
    }
  }

  /** Of several that believe they lead, the one of the latest term. */
  #leading(): Leading | undefined {
    return this.#cluster.names
      .map((name) => this.#cluster.member(name).trace(this.#cluster.nowNs))
      .filter(({ state, role }) => state === 'running' && role === 'leader')
      .map(({ node, term }) => ({ name: node, term }))
      .sort((a, b) => a.term - b.term)
      .at(-1);
  }

  #judge(expectation: Expectation): Judgement {
    const when = `At ${expectation.byMs / 1e3} s`;
    switch (expectation.type) {
      case 'leader':
        return this.#judgeLeader(when, expectation.laterThanAtMs);
      case 'noLeader': {
        const leading = this.#leading();
        if (leading === undefined) return { holds: true, sentence: `${when} nobody leads.` };
        return { holds: false, sentence: `${when} ${leading.name} leads.` };
      }
      case 'committed':
        return this.#judgeCommitted(when, expectation.sinceMs);
      case 'notCommitted':
        return this.#judgeNotCommitted(when, expectation.sinceMs);
      case 'logsEqual':
        return this.#judgeLogs(when);
      default:
        return assertNever(expectation);
    }
  }

  #judgeLeader(when: string, laterThanAtMs: number | undefined): Judgement {
    const leading = this.#leading();
    if (leading === undefined) return { holds: false, sentence: `${when} nobody leads.` };
    const { name, term } = leading;
    const running = this.#cluster.names
      .map((each) => this.#cluster.member(each).trace(this.#cluster.nowNs))
      .filter(({ state }) => state === 'running');
    const astray = running.filter((each) => each.leader !== name || each.term !== term);
    if (astray.length > 0) {
      const others = astray.map(({ node }) => node).join(', ');
      return { holds: false, sentence: `${when} ${name} leads, but ${others} does not follow.` };
    }
    const words = `${when} ${name} leads term ${term}`;
    if (laterThanAtMs === undefined) return { holds: true, sentence: `${words}.` };
    const before = this.#ledAt.get(laterThanAtMs);
    if (before === undefined) {
      return { holds: false, sentence: `${words}; nobody led at ${laterThanAtMs / 1e3} s.` };
    }
    const holds = term > before.term;
    return { holds, sentence: `${words}; before, ${before.name} led term ${before.term}.` };
  }

  #requestsSince(ms: number): readonly LiveRequest[] {
    return this.#requests.filter(({ askedNs }) => askedNs >= ms * 1e6);
  }

  #judgeCommitted(when: string, sinceMs: number): Judgement {
    const asked = this.#requestsSince(sinceMs);
    const done = asked.filter(({ outcome }) => outcome?.type === 'applied');
    const holds = asked.length > 0 && done.length === asked.length;
    return {
      holds,
      sentence: `${when} ${done.length} of ${countOf(asked.length)} had been acknowledged.`,
    };
  }

  #judgeNotCommitted(when: string, sinceMs: number): Judgement {
    const asked = this.#requestsSince(sinceMs);
    const answered = asked.filter(({ outcome }) => outcome?.type === 'applied');
    const members = this.#cluster.names.map((name) => this.#cluster.member(name));
    const applied = asked.filter(({ command }) =>
      members.some(({ commands }) => commands.includes(command)),
    );
    const holds = asked.length > 0 && answered.length === 0 && applied.length === 0;
    const words = `${answered.length} acknowledged and ${applied.length} applied`;
    return { holds, sentence: `${when}, of ${countOf(asked.length)}, ${words}.` };
  }

  #judgeLogs(when: string): Judgement {
    const members = this.#cluster.names.map((name) => this.#cluster.member(name));
    const down = members.filter(({ state }) => state !== 'running');
    if (down.length > 0) {
      return { holds: false, sentence: `${when} ${down[0]!.settings.name} does not run.` };
    }
    const [first] = members;
    const { length } = first!.log;
    const equal = members.every(({ log }) => sameLog(log, first!.log));
    const traces = members.map((member) => member.trace(this.#cluster.nowNs));
    const committed = length > 0 && traces.every(({ commit }) => commit === length);
    const words = equal ? `all logs hold the same ${length} entries` : 'the logs differ';
    const open = committed ? '' : ', not all of them known to be committed';
    return { holds: equal && committed, sentence: `${when} ${words}${open}.` };
  }
}

function timeOf(item: ExerciseStep | Expectation): number {
  return 'atMs' in item ? item.atMs : item.byMs;
}

function countOf(requests: number): string {
  return requests === 1 ? '1 request' : `${requests} requests`;
}

function sameLog(a: readonly Entry[], b: readonly Entry[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ term, data }, at) => term === b[at]!.term && equalBytes(data, b[at]!.data))
  );
}
