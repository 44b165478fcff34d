/** etcd#15271: a member that catches up by snapshot tells its watchers old events again. */
import { watchChecker } from '../../../checkers/watch.ts';
import { WatchCall } from '../../../src/client/watch-call.ts';
import { utf8Decode } from '../../../src/lib/utf8.ts';
import type { ClusterNode } from '../../cluster/cluster.ts';
import { must } from '../lab/must.ts';
import { noted, outcomeOf } from '../lab/recording.ts';
import type { LabCluster, ScenarioLab } from '../lab/scenario-lab.ts';
import { type Outcome, type Scenario, Undecided } from '../scenario.ts';

const EVENTS = 50;
const SNAPSHOT_COUNT = 200;
/** So many entries 3.4 keeps behind a snapshot for followers that are slow. */
const KEPT_ENTRIES = 5_000;
const WRITES = KEPT_ENTRIES + 4 * SNAPSHOT_COUNT;
const WRITERS = 64;
const KEYS = 500;
const VALUE_BYTES = 4_096;
const STEP_MS_MAX = 60_000;

export const WATCH_TIME_TRAVEL: Scenario = {
  name: 'watch-time-travel',
  story: 'a watcher gets events a second time, older than what it has seen already',
  affected: '3.4.x before 3.4.25, 3.5.x before 3.5.8 (etcd#15271)',
  trigger:
    'a follower with a quiet watcher is paused for more than 5000 entries of 4 KB, then resumed',
  checker: 'checkers/watch.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'the watcher goes on where it was' },
    etcd: { outcome: 'reproduced', words: 'all events come again' },
  },
  timeLimitMs: 180_000,
  run,
};

/** As the checker wants it. */
type Told = {
  readonly watcher: number;
  readonly span: string;
  readonly at: number;
  readonly key: string;
  readonly type: string;
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 3, flags: [`--snapshot-count=${SNAPSHOT_COUNT}`] });
  await cluster.serve();
  const leader = await cluster.leader();
  const follower = cluster.others(leader)[0]!;
  const client = cluster.client(leader);
  const told: Told[] = [];
  let isCreated = false;
  const stream = new WatchCall(lab.client(follower.clientUrl), {
    onResponse: (_, { created, events }) => {
      isCreated ||= created;
      for (const { type, kv } of events) {
        const key = utf8Decode(kv.key);
        told.push({ watcher: 1, span: 'watched', at: kv.modRevision, key, type });
      }
    },
    onEnd: () => undefined,
  });
  try {
    stream.create({ key: 'watched/', rangeEnd: 'watched0' });
    await lab.need('a watcher', STEP_MS_MAX, () => (isCreated ? true : undefined));
    for (let at = 0; at < EVENTS; at++) {
      must('a put', await client.put({ key: `watched/${at}`, value: `${at}` }));
    }
    await lab.need('all events', STEP_MS_MAX, () => (told.length >= EVENTS ? true : undefined));
    await fallBehind(cluster, leader, follower);
    must('a put', await client.put({ key: 'watched/last', value: 'last' }));
    const isLast = ({ key }: Told): boolean => key === 'watched/last';
    await lab.need('the last event', STEP_MS_MAX, () => told.find(isLast));
  } finally {
    stream.close();
  }
  noted(lab.recorder, { process: 0, f: 'watch-read', value: { events: [...told], left: 0 } });
  const again = told.length - EVENTS - 1;
  const outcome = outcomeOf(watchChecker().check(lab.recorder.history), 'across a snapshot');
  if (outcome.type !== 'reproduced') return outcome;
  return { ...outcome, evidence: `${outcome.evidence}; ${again} of ${EVENTS} events came twice` };
}

/** Resolves when the follower has everything again, by way of a snapshot. */
async function fallBehind(
  cluster: LabCluster,
  leader: ClusterNode,
  follower: ClusterNode,
): Promise<void> {
  const { lab } = cluster;
  const client = cluster.client(leader);
  const before = await cluster.status(follower);
  if (before === undefined) throw new Undecided('the follower gives no status');
  await cluster.cluster.pause(follower.name);
  const value = 'x'.repeat(VALUE_BYTES);
  let left = WRITES;
  const write = async (): Promise<void> => {
    while (left-- > 0 && !lab.signal.aborted) {
      const answer = await client.put({ key: `other/${left % KEYS}`, value });
      if (!answer.ok) left += 1;
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  const wanted = await lab.need('a status', STEP_MS_MAX, () => cluster.status(leader));
  await cluster.cluster.resume(follower.name);
  await lab.need('the follower catches up', STEP_MS_MAX, async () => {
    const status = await cluster.status(follower);
    // Not the applied index: etcd sets that with the next entry only.
    const revision = status?.header.revision ?? 0;
    return revision >= wanted.header.revision ? true : undefined;
  });
  if (/snapshot/i.test(await cluster.logOf(follower))) return;
  throw new Undecided('the follower caught up without a snapshot');
}
