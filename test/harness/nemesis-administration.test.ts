/** Administration as nemesis, on a cluster that remembers what was done to it. */
import { describe, expect, test } from 'vitest';
import { runSchedule } from '../../harness/nemesis/compose.ts';
import type { FaultSpec } from '../../harness/nemesis/fault.ts';
import { mayOverlap } from '../../harness/nemesis/packages.ts';
import { drawSchedule } from '../../harness/nemesis/schedule.ts';
import { Recorder } from '../../harness/recorder.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { FaultAtlas } from '../../harness/sim/disk/fault-atlas.ts';
import { type ControlFlaws, ControlledFake, controlledProbe } from './fake-control.ts';
import { contextOf, inTurn, type Ran } from './nemesis-lab.ts';
import { VirtualClock } from './virtual-clock.ts';

const REPLACE: FaultSpec = { kind: 'member-replace', node: 'leader' };
const LEARNER: FaultSpec = { kind: 'learner-promote', node: 'n1' };
const SHRINK: FaultSpec = { kind: 'shrink-grow', node: 'n3' };
const OLD: FaultSpec = { kind: 'old-data', node: 'n1' };
const ROLLING: FaultSpec = { kind: 'rolling-restart', leaderLast: true };
const MOVE: FaultSpec = { kind: 'leader-move', node: 'n3' };
const COMPACT: FaultSpec = { kind: 'compact', physical: true };
const DEFRAGMENT: FaultSpec = { kind: 'defragment', inTurn: true };
const SNAPSHOT: FaultSpec = { kind: 'snapshot-restore', beside: true };

interface RanControlled extends Ran {
  readonly cluster: ControlledFake;
}

async function run(
  specs: readonly FaultSpec[],
  flaws: ControlFlaws = {},
  givenUp: readonly string[] = [],
): Promise<RanControlled> {
  const clock = new VirtualClock();
  const cluster = new ControlledFake(flaws);
  const context = { ...contextOf(cluster, clock), probe: controlledProbe(cluster) };
  for (const name of givenUp) {
    context.givenUp.add(name);
    cluster.dead.add(name);
    cluster.damaged.add(name);
  }
  const recorder = new Recorder(clock, () => undefined);
  const records = await runSchedule({
    schedule: inTurn(specs),
    context,
    recorder,
    signal: new AbortController().signal,
    untilNs: Number.POSITIVE_INFINITY,
  });
  return { cluster, context, records, history: recorder.history };
}

describe('administration as nemesis', () => {
  test.each<[FaultSpec, string, string]>([
    [REPLACE, 'remove leader n2, wipe it, add it as member', 'n2: id 2 -> 64, answers reads'],
    [LEARNER, 'remove n1, wipe it, add it as learner', 'n1: id 1 -> 64, a learner that runs'],
    [SHRINK, 'the cluster shrinks by n3, and grows again', 'n3 is no member any more'],
    [OLD, 'an older copy of its data for n1', 'n1 ended on data'],
    [ROLLING, 'SIGTERM and start of n1, n2, n3 in turn', 'n1 ended, served again'],
    [MOVE, 'MoveLeader to n3, or to the next if it leads', 'n2 -> n3, seen after 0 ms'],
    [COMPACT, 'compact at the newest revision, physically', 'reading at 49: mvcc: required'],
    [DEFRAGMENT, 'Defragment of every member in turn', 'n1 4 -> 4 KiB; n2 4 -> 4 KiB'],
    [
      SNAPSHOT,
      'a snapshot of one member, restored beside the cluster',
      "2 KiB from n1: 1 keys at revision 50 are the cluster's",
    ],
  ])('%o is proven and healed', async (spec, description, observation) => {
    const { cluster, context, records } = await run([spec]);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ effect: 'observed' });
    expect(records[0]!.description).toContain(description);
    expect(records[0]!.observation).toContain(observation);
    expect(cluster.isWhole).toBe(true);
    expect([...cluster.ids.keys()].sort()).toEqual(['n1', 'n2', 'n3']);
    expect(cluster.learners).toEqual(new Set());
    expect(context.diedAlone).toEqual(new Set());
    expect(context.givenUp).toEqual(new Set());
  });

  test.each<[ControlFlaws, FaultSpec, string]>([
    [{ declines: ['members'] }, SHRINK, 'inject failed: listing the members: members declined'],
    [{ onOldData: 'serves' }, OLD, 'did no harm'],
    [{ oldDataIsForbidden: true }, OLD, 'no copy can be spared'],
    [{ sigtermIsIgnored: true }, ROLLING, 'n1 killed, served again'],
    [{ unreadable: ['n1'] }, ROLLING, 'inject failed: n1 does not serve after its restart'],
    [{ doesNothing: true }, MOVE, 'n3 never led after n2'],
    [{ declines: ['moveLeader'] }, MOVE, 'inject failed: MoveLeader: moveLeader declined'],
    [{ doesNothing: true }, COMPACT, 'revision 49 can still be read'],
    [{ declines: ['compact'] }, COMPACT, 'inject failed: Compact: compact declined'],
    [{ declines: ['defragment'] }, DEFRAGMENT, 'n1: defragment declined'],
    [{ declines: ['status'] }, DEFRAGMENT, 'n1: status declined'],
    [{ snapshotLacksAKey: true }, SNAPSHOT, '0 keys instead of 1'],
    [{ declines: ['snapshot'] }, SNAPSHOT, 'inject failed: Snapshot: snapshot declined'],
  ])('%o: no effect is seen of %o', async (flaws, spec, observation) => {
    const { cluster, records } = await run([spec], flaws);
    expect(records[0]!.effect).toBe('no-effect');
    expect(records[0]!.observation).toContain(observation);
    expect(cluster.isWhole).toBe(true);
    expect([...cluster.ids.keys()].sort()).toEqual(['n1', 'n2', 'n3']);
  });

  test('a member is removed before its disk is wiped, and added before it starts', async () => {
    const { cluster } = await run([{ kind: 'member-replace', node: 'n3' }]);
    expect(cluster.calls).toEqual([
      'kill n3',
      'wipe n3',
      'join n3 as 100: n1=http://peer/n1,n2=http://peer/n2,n3=http://peer/n3',
      'start n3',
      'whole n3',
    ]);
  });

  test.each([REPLACE, LEARNER, SHRINK, OLD])(
    'no step of %o is taken twice when answers are lost',
    async (spec) => {
      const { cluster, records } = await run([spec], { losesAnswers: true });
      expect(records[0]!.effect).toBe('observed');
      expect(cluster.calls.filter((call) => call.startsWith('wipe'))).toHaveLength(1);
      expect(cluster.calls.filter((call) => call.startsWith('join'))).toHaveLength(1);
      expect([...cluster.ids.values()].filter((id) => id >= 100n)).toEqual([100n]);
    },
  );

  test('a learner that is behind is promoted later', async () => {
    const { cluster, records } = await run([LEARNER], { refusedPromotions: 5 });
    expect(records[0]!.effect).toBe('observed');
    expect(cluster.learners).toEqual(new Set());
  });

  test('a member that was given up is the one to be replaced, and is back then', async () => {
    const { cluster, context, records } = await run([SHRINK, OLD, REPLACE], {}, ['n1']);
    expect(records.map(({ nodes, effect }) => [nodes[0], effect])).toEqual([
      ['n1', 'observed'],
      ['n1', 'observed'],
      ['n2', 'observed'],
    ]);
    expect(context.givenUp).toEqual(new Set());
    expect(cluster.isWhole).toBe(true);
  });

  test('no old data while a member is given up', async () => {
    const { records } = await run([OLD], {}, ['n2']);
    expect(records[0]).toMatchObject({
      effect: 'no-effect',
      observation: 'inject failed: a member was given up: none can be spared',
    });
  });

  test('a cluster without administration says so', async () => {
    const clock = new VirtualClock();
    const cluster = new ControlledFake();
    const context = contextOf(Object.assign(cluster, { control: undefined }), clock);
    const records = await runSchedule({
      schedule: inTurn([REPLACE, COMPACT]),
      context,
      recorder: new Recorder(clock, () => undefined),
      signal: new AbortController().signal,
      untilNs: Number.POSITIVE_INFINITY,
    });
    for (const { effect, observation } of records) {
      expect([effect, observation]).toEqual([
        'no-effect',
        'inject failed: the members of process cannot be administered',
      ]);
    }
  });

  test('the plan leaves room behind a fault that takes long, and leaves out no kind for it', () => {
    for (let seed = 0; seed < 50; seed++) {
      const kinds = ['member-replace', 'compact', 'leader-move'] as const;
      const options = { nodes: ['n1', 'n2', 'n3'], kinds, timeLimitMs: 30_000, electionMs: 500 };
      const plan = drawSchedule(options, seededRandom(seed));
      expect(new Set(plan.map(({ spec }) => spec.kind))).toEqual(new Set(kinds));
      const at = plan.findIndex(({ spec }) => spec.kind === 'member-replace');
      const next = plan.slice(at + 1).find(({ startMs }) => startMs > plan[at]!.startMs + 1_000);
      if (next !== undefined) expect(next.startMs - plan[at]!.startMs).toBeGreaterThan(7_500);
    }
  });

  test('a copy that was replaced may be destroyed again', () => {
    const atlas = new FaultAtlas(3, { allowsAll: false });
    atlas.noteDestroyed('n1');
    expect([atlas.mayDestroy('n1'), atlas.mayDestroy('n2')]).toEqual([false, false]);
    atlas.noteWhole('n1');
    expect([atlas.mayDestroy('n1'), atlas.mayDestroy('n2')]).toEqual([true, true]);
  });

  test('who changes the membership is alone with the processes and their disks', () => {
    for (const kind of ['member-replace', 'learner-promote', 'shrink-grow', 'old-data'] as const) {
      for (const other of ['kill', 'bit-rot', 'slow-disk', 'rolling-restart', 'compact'] as const) {
        expect(mayOverlap(kind, other)).toBe(false);
      }
    }
    expect(mayOverlap('member-replace', 'partition-one')).toBe(true);
    expect(mayOverlap('old-data', 'partition-one')).toBe(false);
    expect(mayOverlap('compact', 'kill')).toBe(true);
    expect(mayOverlap('compact', 'leader-move')).toBe(false);
  });
});
