/** `--unsafe-no-fsync` means what it says: a power failure takes what was acknowledged. */
import type { CheckResult } from '../../../checkers/checker.ts';
import { judgeStartUp } from '../checkers/start-up.ts';
import { outcomeOf } from '../lab/recording.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import { SetLoad } from '../lab/set-load.ts';
import { startUp } from '../lab/start-up.ts';
import { type Outcome, type Scenario, Undecided } from '../scenario.ts';

const ELEMENTS = 50;

export const POWER_LOSS_UNSAFE_NO_FSYNC: Scenario = {
  name: 'power-loss-unsafe-no-fsync',
  story:
    'after a power failure acknowledged writes are gone: the server ran with --unsafe-no-fsync',
  affected: 'all versions with that flag, by design: leave it out',
  trigger: 'the power of a single member fails, and takes all that was not synced',
  checker: 'checkers/set.ts',
  expected: {
    stormraft: { outcome: 'reproduced', words: 'by design; without the flag nothing is lost' },
    etcd: { outcome: 'reproduced', words: 'by design; without the flag nothing is lost' },
  },
  needsFiles: true,
  timeLimitMs: 120_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const seed = lab.random.below(2 ** 31);
  const safe = await afterPowerFailure(lab, { flags: [], seed });
  if (safe.verdict.validity !== 'valid') {
    return outcomeOf({ ...safe.verdict, summary: `with fsync: ${safe.verdict.summary}` });
  }
  const unsafe = await afterPowerFailure(lab, { flags: ['--unsafe-no-fsync'], seed });
  if (unsafe.bytes === 0) throw new Undecided('the power failure took nothing');
  const outcome = outcomeOf(unsafe.verdict, `though ${unsafe.bytes} bytes were taken`);
  if (outcome.type !== 'reproduced') return outcome;
  const words = `${unsafe.bytes} bytes were taken; without the flag nothing was lost`;
  return { ...outcome, evidence: `${outcome.evidence}; ${words}` };
}

async function afterPowerFailure(
  lab: ScenarioLab,
  { flags, seed }: { readonly flags: readonly string[]; readonly seed: number },
): Promise<{ readonly bytes: number; readonly verdict: CheckResult }> {
  lab.startOver();
  const cluster = await lab.open({ members: 1, flags });
  await cluster.serve();
  const node = cluster.node(0);
  // A directory's name is synced by nobody at its making; the one of a server in use is safe.
  await cluster.cluster.kill(node.name);
  await cluster.startAgain(node);
  await cluster.serve();
  const load = new SetLoad(cluster);
  await load.addAll(node, ELEMENTS);
  const { bytes } = await cluster.cluster.failPower(node.name, { keeps: 'nothing', seed });
  const start = await startUp(cluster, node);
  const set = start.type === 'serves' ? await load.judge(node) : undefined;
  await lab.close(cluster);
  return { bytes, verdict: judgeStartUp(start, set) };
}
