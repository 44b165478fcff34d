/**
 * Watches the members from outside during a run: role, term and indexes five times a second,
 * WAL fsyncs once a second. What it sees becomes the report's time lines; it judges nothing.
 */
import type { FsyncSample, MemberSeries, StatusSample } from '../reports/run-record.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { ClusterNode } from './cluster/cluster.ts';
import { type FsyncHistogram, fsyncsSince, parseFsyncHistogram } from './fsync-histogram.ts';
import type { MemberProbe } from './member-probe.ts';

const STATUS_INTERVAL_MS = 200;
const STATUS_TIMEOUT_MS = 400;
const METRICS_INTERVAL_MS = 1_000;
const METRICS_TIMEOUT_MS = 800;
/** About a day of three members; later samples are dropped. */
const SAMPLES_MAX = 1_500_000;

/** One line of samples.jsonl. */
export type Sample =
  | { readonly type: 'status'; readonly node: string; readonly sample: StatusSample }
  | { readonly type: 'fsync'; readonly node: string; readonly sample: FsyncSample };

export interface SamplerOptions {
  readonly nodes: readonly ClusterNode[];
  readonly probe: MemberProbe;
  readonly clock: Clock;
  /** Nanoseconds since the run's base. */
  readonly nowNs: () => number;
  readonly onSample: (sample: Sample) => void;
}

/** Starts sampling; disposing stops it, and nothing is reported afterwards. */
export function startSampler(options: SamplerOptions): Disposable {
  const timers: Disposable[] = [];
  let stopped = false;
  let samples = 0;
  const report = (sample: Sample): void => {
    if (stopped || samples >= SAMPLES_MAX) return;
    samples++;
    options.onSample(sample);
  };
  for (const node of options.nodes) {
    const status = unlessBusy(() => sampleStatus(options, node).then(report));
    const fsync = unlessBusy(fsyncSampling(options, node, report));
    timers.push(options.clock.every(STATUS_INTERVAL_MS, status));
    timers.push(options.clock.every(METRICS_INTERVAL_MS, fsync));
  }
  return {
    [Symbol.dispose]: () => {
      stopped = true;
      for (const timer of timers) timer[Symbol.dispose]();
    },
  };
}

/** The samples by member, in the order of `nodes`. */
export function seriesOf(nodes: readonly string[], samples: readonly Sample[]): MemberSeries[] {
  return nodes.map((node) => {
    const status: StatusSample[] = [];
    const fsync: FsyncSample[] = [];
    for (const each of samples) {
      if (each.node !== node) continue;
      if (each.type === 'status') status.push(each.sample);
      else fsync.push(each.sample);
    }
    return { node, status, fsync };
  });
}

/** Skips a beat while the last poll of the same member is still out. */
function unlessBusy(poll: () => Promise<void>): () => void {
  let isBusy = false;
  return () => {
    if (isBusy) return;
    isBusy = true;
    void poll().finally(() => {
      isBusy = false;
    });
  };
}

async function sampleStatus(options: SamplerOptions, node: ClusterNode): Promise<Sample> {
  const reading = await options.probe.status(node, STATUS_TIMEOUT_MS);
  const silent = { isLeader: false, term: 0, commitIndex: 0, appliedIndex: 0 };
  const timeNs = options.nowNs();
  const sample = { timeNs, reachable: reading !== undefined, ...(reading ?? silent) };
  return { type: 'status', node: node.name, sample };
}

/** Each poll compares with the one before, so this one carries the last histogram along. */
function fsyncSampling(
  options: SamplerOptions,
  node: ClusterNode,
  report: (sample: Sample) => void,
): () => Promise<void> {
  let last: FsyncHistogram | undefined;
  return async () => {
    const text = await options.probe.metricsText(node, METRICS_TIMEOUT_MS);
    const histogram = text === undefined ? undefined : parseFsyncHistogram(text);
    if (histogram === undefined) return;
    const delta = fsyncsSince(last, histogram);
    last = histogram;
    if (delta === undefined) return;
    const sample = { timeNs: options.nowNs(), ...delta };
    report({ type: 'fsync', node: node.name, sample });
  };
}
