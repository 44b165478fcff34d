/** etcd#15220: progress is told on a stream whose events are still to come. */
import { WatchCall } from '../../../src/client/watch-call.ts';
import { utf8Decode } from '../../../src/lib/utf8.ts';
import { progressChecker, WATCH_TOLD } from '../checkers/progress.ts';
import { must } from '../lab/must.ts';
import { noted, outcomeOf } from '../lab/recording.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import type { Outcome, Scenario } from '../scenario.ts';

const EVENTS = 200;
const TOLD_MS_MAX = 10_000;

export const WATCH_PROGRESS_EARLY: Scenario = {
  name: 'watch-progress-early',
  story:
    'a watcher is told that it has seen everything up to a revision, and then gets older events',
  affected: '3.4.x before 3.4.26, 3.5.x before 3.5.8 (etcd#15220)',
  trigger: 'progress is asked for on a stream that still reads history',
  checker: 'harness/scenarios/checkers/progress.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'progress is told once all events have been' },
    etcd: { outcome: 'reproduced', words: 'progress is told at once, the events follow' },
  },
  timeLimitMs: 60_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 1 });
  await cluster.serve();
  const client = cluster.client(cluster.node(0));
  let first = 0;
  for (let at = 0; at < EVENTS; at++) {
    const put = must('a put', await client.put({ key: `key/${at}`, value: `${at}` }));
    if (at === 0) first = put.header.revision;
  }
  const told: { kind: 'progress' | 'event'; at: number; key: string }[] = [];
  const stream = new WatchCall(client, {
    onResponse: ({ revision }, { created, canceled, events }) => {
      if (created || canceled) return;
      if (events.length === 0) told.push({ kind: 'progress', at: revision, key: '' });
      for (const { kv } of events) {
        told.push({ kind: 'event', at: kv.modRevision, key: utf8Decode(kv.key) });
      }
    },
    onEnd: () => undefined,
  });
  try {
    stream.create({ key: 'key/', rangeEnd: 'key0', startRevision: first });
    stream.requestProgress();
    const hasAll = (): true | undefined =>
      told.filter(({ kind }) => kind === 'event').length === EVENTS ? true : undefined;
    await lab.need('all events', TOLD_MS_MAX, hasAll);
    await lab.need('progress', TOLD_MS_MAX, () => {
      if (told.some(({ kind }) => kind === 'progress')) return true;
      stream.requestProgress();
      return undefined;
    });
  } finally {
    stream.close();
  }
  noted(lab.recorder, { process: 0, f: WATCH_TOLD, value: { told } });
  return outcomeOf(progressChecker().check(lab.recorder.history));
}
