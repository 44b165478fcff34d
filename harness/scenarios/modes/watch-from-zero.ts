/** Start revision 0 means "from now": what happened between a read and the watch is lost. */
import { WatchCall } from '../../../src/client/watch-call.ts';
import { watchCompletenessChecker } from '../checkers/watch-completeness.ts';
import { must } from '../lab/must.ts';
import { noted, outcomeOf } from '../lab/recording.ts';
import type { LabCluster, ScenarioLab } from '../lab/scenario-lab.ts';
import { type Outcome, reproduced, type Scenario, Undecided } from '../scenario.ts';

const KEY = 'watched';
const TOLD_MS = 10_000;

export const WATCH_FROM_ZERO: Scenario = {
  name: 'watch-from-zero',
  story: 'a client reads a key, watches it, and misses a change that was made in between',
  affected: 'all versions, by design: watch from the revision of the read, plus 1',
  trigger: 'a write between the read and a watch whose start revision is 0',
  checker: 'harness/scenarios/checkers/watch-completeness.ts',
  expected: {
    stormraft: {
      outcome: 'reproduced',
      words: 'by design; from the next revision nothing is lost',
    },
    etcd: { outcome: 'reproduced', words: 'by design; from the next revision nothing is lost' },
  },
  timeLimitMs: 60_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 1 });
  await cluster.serve();
  const client = cluster.client(cluster.node(0));
  const read = must('a read', await client.get(KEY)).header.revision;
  noted(lab.recorder, { process: 0, f: 'read', value: { at: read } });
  const between = must('a write', await client.put({ key: KEY, value: 'between' }));
  noted(lab.recorder, { process: 1, f: 'write', value: { at: between.header.revision } });
  const careful = await watchUntil(cluster, 'the careful watcher', read + 1);
  noted(lab.recorder, { process: 2, f: 'watch-all', value: careful });
  const good = watchCompletenessChecker().check(lab.recorder.history);
  if (good.validity !== 'valid') return outcomeOf(good);
  const careless = await watchUntil(cluster, 'the watcher from 0', 0);
  noted(lab.recorder, { process: 3, f: 'watch-all', value: careless });
  const verdict = watchCompletenessChecker().check(lab.recorder.history);
  if (verdict.validity !== 'invalid') throw new Undecided(verdict.summary);
  return reproduced(`${verdict.summary}; ${careful.watcher}, from ${read + 1}, was`);
}

/** A watcher and all that it is told, up to a write that is made once it is there. */
async function watchUntil(
  cluster: LabCluster,
  watcher: string,
  startRevision: number,
): Promise<{ readonly watcher: string; readonly told: readonly number[] }> {
  const { lab } = cluster;
  const client = cluster.client(cluster.node(0));
  const told: number[] = [];
  let isCreated = false;
  const stream = new WatchCall(client, {
    onResponse: (_, { created, events }) => {
      isCreated ||= created;
      told.push(...events.map(({ kv }) => kv.modRevision));
    },
    onEnd: () => undefined,
  });
  try {
    stream.create({ key: KEY, startRevision });
    await lab.need('a watcher', TOLD_MS, () => (isCreated ? true : undefined));
    const last = must('a write', await client.put({ key: KEY, value: watcher })).header.revision;
    await lab.need('the last event', TOLD_MS, () => (told.includes(last) ? true : undefined));
    return { watcher, told };
  } finally {
    stream.close();
  }
}
