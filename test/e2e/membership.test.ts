/** Members that come, go, move and are replaced, by stock etcdctl, on real processes. */
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isMissing } from '../support/stock-etcd.ts';
import { eventually, Lab } from './lab.ts';
import { findLeader, type RealMember, realMembers, startAll } from './real-members.ts';
import {
  choosePlaces,
  etcdctl,
  hashKvOf,
  idOf,
  listMembers,
  memberAt,
  type Place,
  runEtcdctl,
} from './stock-tools.ts';

const MISSING = isMissing('etcdctl');
const title = MISSING ? 'members (not run: etcdctl is not installed)' : 'members';

let lab: Lab;
let members: readonly RealMember[];

/** A fourth member for the three that are there. */
async function newcomer(
  name: string,
): Promise<{ readonly place: Place; readonly member: RealMember }> {
  const [place] = (await choosePlaces(1, `${lab.directory}/${name}`)) as [Place];
  const cluster = `${clusterOf(members[0]!)},${name}=${place.peerUrl}`;
  const extra = ['--initial-cluster', cluster, '--initial-cluster-state', 'existing'];
  return { place, member: memberAt(lab, name, place, extra) };
}

function clusterOf(member: RealMember): string {
  return member.flags[member.flags.indexOf('--initial-cluster') + 1]!;
}

function peerUrlOf(member: RealMember): string {
  return member.flags[member.flags.indexOf('--listen-peer-urls') + 1]!;
}

/** The same place, as an operator starts a replacement there. */
function replacementOf(member: RealMember): RealMember {
  const place = { endpoint: member.endpoint, peerUrl: peerUrlOf(member) };
  const extra = ['--initial-cluster', clusterOf(member), '--initial-cluster-state', 'existing'];
  return memberAt(lab, member.name, place, extra);
}

const others = (member: RealMember): readonly RealMember[] =>
  members.filter((other) => other !== member);
const ctl = (through: RealMember, ...args: string[]): Promise<string> =>
  etcdctl(lab, through.endpoint, args);

/** Peers count as healthy after 5 seconds; until then changes are refused. */
async function change(through: RealMember, ...args: string[]): Promise<string> {
  return eventually(`etcdctl ${args.join(' ')}`, async () => {
    const { code, stdout, stderr } = await runEtcdctl(lab, through.endpoint, args);
    if (code !== 0) throw new Error(stderr);
    return stdout;
  });
}

async function hashesAgree(all: readonly RealMember[]): Promise<void> {
  const answer = await ctl(all[0]!, 'put', 'last', 'one', '-w', 'json');
  const { revision } = JSON.parse(answer).header;
  await eventually('all have applied it', async () => {
    const hashes = await Promise.all(all.map((m) => hashKvOf(lab, m.endpoint, revision)));
    return new Set(hashes).size === 1;
  });
}

async function leavesForGood(gone: RealMember): Promise<void> {
  const { code, stderr } = await gone.running.ended;
  expect({ code, stderr }).toMatchObject({ code: 6 });
  const removals = gone.log.filter(({ msg }) => msg.includes('was removed from the cluster'));
  expect(removals).toHaveLength(1);
  // It refuses to come back, with one line.
  gone.start();
  const again = await gone.running.ended;
  expect(again.code).toBe(4);
  expect(again.stderr).toMatch(/^stormraft: data-dir: .*removed.*etcdctl member add.*\n$/);
}

describe.skipIf(MISSING)(title, () => {
  beforeEach(async () => {
    lab = new Lab();
    members = await realMembers(lab, 3);
    await startAll(members);
    await ctl(members[0]!, 'put', 'before', 'all');
  });
  afterEach(() => lab[Symbol.asyncDispose]());

  test('a learner joins, is fed, and is promoted; it counts from then on', async () => {
    const { place, member } = await newcomer('n4');
    const added = await change(
      members[1]!,
      'member',
      'add',
      'n4',
      '--learner',
      `--peer-urls=${place.peerUrl}`,
    );
    expect(added).toContain('ETCD_INITIAL_CLUSTER_STATE="existing"');
    const unstarted = (await listMembers(lab, members[0]!.endpoint)).find(
      ({ peerUrls }) => peerUrls === place.peerUrl,
    )!;
    expect(unstarted).toMatchObject({ status: 'unstarted', name: '', isLearner: true });
    const early = await runEtcdctl(lab, members[0]!.endpoint, ['member', 'promote', unstarted.id]);
    expect(early.stderr).toContain('can only promote a learner member which is in sync');
    member.start();
    await eventually('the learner has the data', async () => {
      return (await member.read('before', 'serializable'))?.get('before') === 'all';
    });
    const refused = await runEtcdctl(lab, member.endpoint, ['put', 'a', 'b']);
    expect(refused.stderr).toContain('rpc not supported for learner');
    await change(members[2]!, 'member', 'promote', unstarted.id);
    await member.serves();
    const listed = await listMembers(lab, member.endpoint);
    expect(listed).toHaveLength(4);
    expect(listed.find(({ id }) => id === unstarted.id)).toMatchObject({
      status: 'started',
      name: 'n4',
      clientUrls: `http://${member.endpoint}`,
      isLearner: false,
    });
    // Four voters: with one of the old ones away the newcomer's vote is needed.
    const [away] = others(await findLeader([...members, member])) as [RealMember];
    await away.end('SIGKILL');
    await change(member, 'put', 'with', 'its vote');
    away.start();
    await away.serves();
    await hashesAgree([...members, member]);
  });

  test('a voter joins; one that is not started yet stops further additions', async () => {
    const { place, member } = await newcomer('n4');
    await change(members[0]!, 'member', 'add', 'n4', `--peer-urls=${place.peerUrl}`);
    const again = await runEtcdctl(lab, members[0]!.endpoint, [
      ...['member', 'add', 'n5', '--peer-urls=http://127.0.0.1:9'],
    ]);
    expect(again.code).not.toBe(0);
    expect(again.stderr).toMatch(/unhealthy cluster|not enough started members/);
    member.start();
    await member.serves();
    await hashesAgree([...members, member]);
    await member.end('SIGKILL');
    member.start();
    await member.serves();
    expect(
      (await listMembers(lab, member.endpoint)).every(({ status }) => status === 'started'),
    ).toBe(true);
  });

  test('a removed follower and a removed leader end by themselves, and cost no election', async () => {
    const leader = await findLeader(members);
    const [gone, kept] = others(leader) as [RealMember, RealMember];
    await change(kept, 'member', 'remove', await idOf(lab, kept.endpoint, gone.name));
    await leavesForGood(gone);
    await hashesAgree([leader, kept]);

    // Writes go on through the other member while the leader is taken out.
    let isOver = false;
    let longestMs = 0;
    const writing = (async () => {
      for (let at = 0; !isOver; at++) {
        const sinceMs = performance.now();
        await eventually('a put', () => kept.put(`during/${at}`, `${at}`));
        longestMs = Math.max(longestMs, performance.now() - sinceMs);
      }
    })();
    await change(kept, 'member', 'remove', await idOf(lab, kept.endpoint, leader.name));
    await leavesForGood(leader);
    isOver = true;
    await writing;
    process.stdout.write(`longest put while the leader was removed: ${longestMs.toFixed(0)} ms\n`);
    expect(kept.log.some(({ msg }) => msg === 'became leader')).toBe(true);
    // Asked to stand by the leader: no pre-vote, nobody's patience ran out.
    expect(kept.log.filter(({ msg }) => msg.startsWith('started pre-vote'))).toEqual([]);
    await kept.serves();
    expect(await listMembers(lab, kept.endpoint)).toHaveLength(1);
  });

  test('a leader that is asked to remove itself answers, hands over, and ends', async () => {
    const leader = await findLeader(members);
    const id = await idOf(lab, leader.endpoint, leader.name);
    expect(await change(leader, 'member', 'remove', id)).toContain(`Member ${id} removed`);
    await leavesForGood(leader);
    await hashesAgree(others(leader));
    expect(await listMembers(lab, others(leader)[0]!.endpoint)).toHaveLength(2);
  });

  test('a member that lost its directory is refused, and replaced as the guide says', async () => {
    const lost = others(await findLeader(members))[0]!;
    const [through] = others(lost) as [RealMember];
    await lost.end('SIGKILL');
    rmSync(lost.dataDir, { recursive: true });
    lost.start();
    const refused = await lost.running.ended;
    expect(refused.code).toBe(4);
    const id = await idOf(lab, through.endpoint, lost.name);
    expect(refused.stderr).toMatch(/^stormraft: data-dir: is empty, [^\n]*\n$/);
    expect(refused.stderr).toContain(`etcdctl member remove ${id}`);
    expect(refused.stderr).toContain(
      `etcdctl member add ${lost.name} --peer-urls=${peerUrlOf(lost)}`,
    );

    await change(through, 'member', 'remove', id);
    rmSync(lost.dataDir, { recursive: true, force: true });
    await change(through, 'member', 'add', lost.name, `--peer-urls=${peerUrlOf(lost)}`);
    const listed = await listMembers(lab, through.endpoint);
    const again = listed.find(({ peerUrls }) => peerUrls === peerUrlOf(lost))!;
    expect(again).toMatchObject({ status: 'unstarted', name: '', clientUrls: '' });
    expect(again.id).not.toBe(id);
    const replacement = replacementOf(lost);
    replacement.start();
    await replacement.serves();
    await eventually('it is listed as started', async () => {
      const now = await listMembers(lab, through.endpoint);
      return now.find((member) => member.id === again.id)?.status === 'started';
    });
    await hashesAgree([...others(lost), replacement]);
  });

  test('peer URLs are updated: the member moves, and is reached there', async () => {
    const moved = others(await findLeader(members))[0]!;
    const [through] = others(moved) as [RealMember];
    const [place] = (await choosePlaces(1, `${lab.directory}/moved`)) as [Place];
    const id = await idOf(lab, through.endpoint, moved.name);
    await change(through, 'member', 'update', id, `--peer-urls=${place.peerUrl}`);
    await moved.end('SIGTERM');
    const cluster = clusterOf(moved).replace(peerUrlOf(moved), place.peerUrl);
    const there = memberAt(lab, moved.name, { ...place, endpoint: moved.endpoint }, [
      ...['--initial-cluster', cluster],
    ]);
    there.start();
    await there.serves();
    expect(await listMembers(lab, there.endpoint)).toContainEqual(
      expect.objectContaining({ id, peerUrls: place.peerUrl, status: 'started' }),
    );
    await hashesAgree([...others(moved), there]);
  });

  test('move-leader, by the leader only', async () => {
    const leader = await findLeader(members);
    const [target, other] = others(leader) as [RealMember, RealMember];
    const id = await idOf(lab, leader.endpoint, target.name);
    const refused = await runEtcdctl(lab, other.endpoint, ['move-leader', id]);
    expect(refused.code).not.toBe(0);
    await ctl(leader, 'move-leader', id);
    expect(await target.leads()).toBe(true);
  });

  test('an addition that could stop the cluster is refused', async () => {
    const down = others(await findLeader(members))[0]!;
    const [through] = others(down) as [RealMember];
    await down.end('SIGKILL');
    await eventually('it is missed', async () => {
      const add = ['member', 'add', 'n4', '--peer-urls=http://127.0.0.1:9'];
      const { code, stderr } = await runEtcdctl(lab, through.endpoint, add);
      expect(code).not.toBe(0);
      return stderr.includes('unhealthy cluster');
    });
    expect(await listMembers(lab, through.endpoint)).toHaveLength(3);
    await ctl(through, 'put', 'still', 'serves');
  });
});
