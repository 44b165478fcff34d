/** The disk of one member is full: it must stop, harm nobody, and come back once there is room. */

import { outcomeOf } from '../lab/recording.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import { SetLoad } from '../lab/set-load.ts';
import { type Outcome, reproduced, type Scenario, Undecided } from '../scenario.ts';

const BEFORE = 20;
const MEANWHILE = 60;
const AFTER = 5;
const VALUE_BYTES = 64 * 1024;
const STOP_MS = 15_000;
const BACK_MS = 20_000;
const LINE_MAX = 250;

export const FULL_DISK: Scenario = {
  name: 'full-disk',
  story: 'the disk of a member is full: it stops, and others or its own data suffer',
  affected: 'none; an operator must make room and start it',
  trigger: 'every write of a follower is refused with ENOSPC, under writes; later there is room',
  checker: 'checkers/set.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'it stops, the others go on; with room it comes back' },
    etcd: { outcome: 'sound', words: 'it stops, the others go on; with room it comes back' },
  },
  timeLimitMs: 120_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 3 });
  await cluster.serve();
  const leader = await cluster.leader();
  const victim = cluster.others(leader)[0]!;
  const load = new SetLoad(cluster);
  await load.addAll(leader, BEFORE);
  const fault = { type: 'error', operation: 'write', code: 'ENOSPC' } as const;
  await cluster.cluster.setDiskFault(victim.name, fault);
  await load.addAll(leader, MEANWHILE);
  // Logs are made larger than what is in them: room that is taken already is of no help for long.
  const value = 'x'.repeat(VALUE_BYTES);
  const stopped = await lab.look(STOP_MS, async () => {
    await cluster.client(leader).put({ key: 'big', value });
    return (await cluster.cluster.isRunning(victim.name)) ? undefined : true;
  });
  const log = await cluster.logOf(victim);
  const { refused } = await cluster.cluster.diskFaultTally(victim.name);
  if (refused === 0) throw new Undecided('no write was refused');
  await cluster.cluster.kill(victim.name);
  await cluster.cluster.setDiskFault(victim.name, { type: 'none' });
  await cluster.startAgain(victim);
  const back = await lab.look(BACK_MS, async () => {
    const answer = await cluster.client(victim).get('storm/ready', { timeoutMs: 1_000 });
    return answer.ok ? true : undefined;
  });
  if (back === undefined)
    return reproduced(`${victim.name} does not come back though there is room`);
  await load.addAll(victim, AFTER);
  const set = await load.judge(victim);
  if (set.validity !== 'valid') return outcomeOf(set);
  const last = log
    .split('\n')
    .findLast((line) => line.includes('ENOSPC') || line.includes('space'));
  if (stopped === undefined) return reproduced(`it went on with a full disk: ${set.summary}`);
  const words = `${victim.name} stopped after ${refused} refused: ${last?.slice(0, LINE_MAX) ?? ''}`;
  return outcomeOf(set, words);
}
