/** A live cluster as a source: it goes on when one looks beyond what has happened. */
import type { MessageTrace } from '../../sim/trace.ts';
import { ExerciseRun } from '../exercise-run.ts';
import type { Exercise } from '../exercises.ts';
import { LiveCluster, type LiveOptions } from '../live/live-cluster.ts';
import { TraceIndex } from '../timeline/trace-index.ts';
import type { ScopeSource } from './source.ts';

/** The timeline spans this at first, and twice as much whenever that is not enough. */
const FIRST_SPAN_NS = 10e9;

export class LiveSource implements ScopeSource {
  readonly memberNames: readonly string[];
  readonly index: TraceIndex;
  readonly cluster: LiveCluster;
  readonly exercise: ExerciseRun | undefined;

  constructor(options: LiveOptions, exercise: Exercise | undefined) {
    const names = Array.from({ length: options.memberCount }, (_, at) => `n${at + 1}`);
    const index = new TraceIndex(names);
    this.index = index;
    this.memberNames = names;
    this.cluster = new LiveCluster(options, { trace: (event) => index.push(event) });
    this.exercise = exercise === undefined ? undefined : new ExerciseRun(exercise, this.cluster);
  }

  get knownNs(): number {
    return this.cluster.nowNs;
  }

  get spanNs(): number {
    let spanNs = Math.max(FIRST_SPAN_NS, this.exercise?.endNs ?? 0);
    while (spanNs < this.knownNs) spanNs *= 2;
    return spanNs;
  }

  extendTo(atNs: number): void {
    if (this.exercise === undefined) this.cluster.advanceTo(atNs);
    else this.exercise.advanceTo(atNs);
  }

  underWayAt(atNs: number): readonly MessageTrace[] {
    const unfinished = this.cluster.inFlight().filter(({ sentNs }) => sentNs <= atNs);
    return [...this.index.messages.underWayAt(atNs), ...unfinished];
  }
}
