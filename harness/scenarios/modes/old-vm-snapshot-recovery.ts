/** A member came back from an old image of its machine: it is removed, and added anew. */
import { agreedHash } from '../lab/admin.ts';
import { callMethod } from '../lab/call.ts';
import { MEMBER_ADD, MEMBER_LIST, MEMBER_REMOVE } from '../lab/methods.ts';
import { must } from '../lab/must.ts';
import type { Place } from '../lab/program.ts';
import { outcomeOf } from '../lab/recording.ts';
import { rollBack } from '../lab/roll-back.ts';
import type { LabCluster, ScenarioLab } from '../lab/scenario-lab.ts';
import { SetLoad } from '../lab/set-load.ts';
import { startUp } from '../lab/start-up.ts';
import { type Outcome, type Scenario, Undecided } from '../scenario.ts';

const CHANGE_MS = 30_000;
const JOIN_MS = 30_000;
const NEWCOMER = 'n4';

export const OLD_VM_SNAPSHOT_RECOVERY: Scenario = {
  name: 'old-vm-snapshot-recovery',
  story: 'a member restored from an old image of its machine cannot be brought back',
  affected: 'none: member remove and member add bring it back, with an empty directory',
  trigger: 'a follower on old data; it is stopped, removed, and replaced by an empty member',
  checker: 'checkers/set.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'the replacement has everything, no write is lost' },
    etcd: { outcome: 'sound', words: 'the replacement has everything, no write is lost' },
  },
  needsFiles: true,
  timeLimitMs: 150_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 3 });
  await cluster.serve();
  const leader = await cluster.leader();
  const victim = cluster.others(leader)[0]!;
  const load = new SetLoad(cluster);
  await rollBack(cluster, { leader, victim, load });
  const start = await startUp(cluster, victim, (log) => log.includes('went back in time'));
  if (start.type === 'serves') throw new Undecided('the old image did no harm');
  await cluster.cluster.kill(victim.name);
  const [place] = await lab.places([NEWCOMER]);
  const initialCluster = await replace(cluster, victim.name, place!);
  const program = lab.launch({
    place: place!,
    dataDirectory: cluster.path('data', NEWCOMER),
    logPath: cluster.path(`${NEWCOMER}.log`),
    initialCluster,
    initialState: 'existing',
    flags: [],
  });
  await lab.need('the replacement serves', JOIN_MS, async () => {
    if (!program.isRunning)
      throw new Undecided(`the replacement ended: ${program.log.slice(-400)}`);
    return (await lab.client(place!.clientUrl).get('storm/ready')).ok ? true : undefined;
  });
  const verdict = await load.judge({ name: NEWCOMER, clientUrl: place!.clientUrl });
  const urls = [...cluster.others(victim).map(({ clientUrl }) => clientUrl), place!.clientUrl];
  const hash = await agreedHash(lab, urls);
  const before = start.type === 'ended' ? 'had ended' : 'served nobody';
  return outcomeOf(
    verdict,
    `${victim.name} ${before}; its replacement has hash ${hash}, as all have`,
  );
}

/** Resolves with the names and addresses that the newcomer is told. */
async function replace(cluster: LabCluster, name: string, place: Place): Promise<string> {
  const { lab } = cluster;
  const through = await lab.need('a leader', CHANGE_MS, () =>
    cluster.lookForLeader(cluster.nodes.filter((node) => node.name !== name)),
  );
  const client = cluster.client(through);
  const { members } = must('the members', await callMethod(client, MEMBER_LIST, {}));
  const ID = members.find((member) => member.name === name)?.ID;
  if (ID === undefined) throw new Undecided(`no member ${name}`);
  // Peers count as healthy only after some seconds; until then changes are refused.
  await lab.need('the removal', CHANGE_MS, async () => {
    return (await callMethod(client, MEMBER_REMOVE, { ID })).ok ? true : undefined;
  });
  const added = await lab.need('the addition', CHANGE_MS, async () => {
    const answer = await callMethod(client, MEMBER_ADD, { peerURLs: [place.peerUrl] });
    return answer.ok ? answer.value : undefined;
  });
  return added.members
    .map((member) => `${member.name === '' ? place.name : member.name}=${member.peerURLs[0]}`)
    .join();
}
