/** A typing error in the cluster string of one member: it never becomes part of the cluster. */
import { judgeStartUp, type StartUp } from '../checkers/start-up.ts';
import type { Place, Program } from '../lab/program.ts';
import { outcomeOf } from '../lab/recording.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import { type Outcome, type Scenario, Undecided } from '../scenario.ts';

const SERVE_MS = 30_000;
/** Long enough for a member to join, or to say why not. */
const JOIN_MS = 5_000;

export const BOOTSTRAP_WRONG_CLUSTER_STRING: Scenario = {
  name: 'bootstrap-wrong-cluster-string',
  story: 'a new cluster starts, and one member never joins; its log repeats itself',
  affected: 'all versions so far',
  trigger: 'three new members, one of them with a wrong port in its --initial-cluster',
  checker: 'harness/scenarios/checkers/start-up.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'it says in one line what to compare' },
    etcd: { outcome: 'reproduced', words: 'cluster ID mismatch, in both logs, for ever' },
  },
  needsFiles: true,
  timeLimitMs: 90_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const [one, two, three, nobody] = (await lab.places(['n1', 'n2', 'n3', 'typo'])) as [
    Place,
    Place,
    Place,
    Place,
  ];
  const directory = lab.directory('members');
  const right = clusterOf([one, two, three]);
  const wrong = clusterOf([{ ...one, peerUrl: nobody.peerUrl }, two, three]);
  const launch = (place: Place, initialCluster: string): Program =>
    lab.launch({
      place,
      dataDirectory: `${directory}/${place.name}`,
      logPath: `${directory}/${place.name}.log`,
      initialCluster,
      initialState: 'new',
      flags: ['--initial-cluster-token=bootstrap'],
    });
  const good = [launch(one, right), launch(two, right)];
  const typo = launch(three, wrong);
  for (const { place } of good)
    await lab.need(`${place.name} serves`, SERVE_MS, () => serves(place));
  const joined = await lab.look(JOIN_MS, async () => {
    if (!typo.isRunning) return 'ended';
    return (await serves(three)) && 'serves';
  });
  const start: StartUp = { type: joined ?? 'serves nobody', log: typo.log };
  if (start.type === 'serves') throw new Undecided('the member joined with a wrong string');
  return outcomeOf(judgeStartUp(start, undefined), 'the others serve');

  async function serves(place: Place): Promise<true | undefined> {
    const answer = await lab.client(place.clientUrl).get('storm/ready', { timeoutMs: 1_000 });
    return answer.ok ? true : undefined;
  }
}

function clusterOf(places: readonly Place[]): string {
  return places.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join();
}
