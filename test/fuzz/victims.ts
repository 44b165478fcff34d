/** The three members under attack: real processes, looked at from outside and from within. */
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, type Lab, type Launched, ROOT } from '../e2e/lab.ts';
import { findLeader, type LogLine, type RealMember, realMembers } from '../e2e/real-members.ts';
import type { Target } from './target.ts';

const MEBIBYTE = 2 ** 20;
/** The machine is shared: nobody shall lose an election because of its neighbours. */
const TIMING = ['--heartbeat-interval', '200', '--election-timeout', '5000'];
/** So that neither log nor history grows with the run. */
const SHORT_HISTORY = ['--snapshot-count', '2000'];
const FLAGS: readonly string[] = [...TIMING, ...SHORT_HISTORY];

export interface Held {
  readonly rssMiB: number;
  readonly heapMiB: number;
  /** Memory of buffers, the store's slabs among it. */
  readonly externalMiB: number;
  readonly sockets: number;
  readonly descriptors: number;
  /** Node's own count of what keeps it busy. */
  readonly resources: Readonly<Record<string, number>>;
}

export class Victim {
  readonly member: RealMember;
  readonly #launched: Launched;

  constructor(lab: Lab, member: RealMember) {
    this.member = member;
    const probe = join(import.meta.dirname, 'probe.ts');
    const args = ['--expose-gc', '--import', probe, join(ROOT, 'src/main.ts'), ...member.flags];
    this.#launched = lab.launch(process.execPath, args);
  }

  get pid(): number {
    return this.#launched.pid;
  }

  get isRunning(): boolean {
    return this.#launched.isRunning;
  }

  /** Rejects with what it printed if it ends before it serves. */
  async serves(): Promise<void> {
    const gone = this.#launched.ended.then(({ stderr }) => Promise.reject(new Error(stderr)));
    const { name, client } = this.member;
    const serves = eventually(`${name} serves`, async () => (await client.get('any')).ok);
    await Promise.race([serves, gone]);
    // Its end is expected from now on.
    gone.catch(() => undefined);
  }

  get log(): readonly LogLine[] {
    const lines = this.#launched.stderr.split('\n').filter((line) => /^\{.*\}$/.test(line));
    return lines.map((line) => JSON.parse(line) as LogLine);
  }

  /** Whatever it printed that is neither its log nor the probe's. */
  get otherOutput(): readonly string[] {
    const { stdout, stderr } = this.#launched;
    return `${stdout}${stderr}`.split('\n').filter((line) => !/^(\{.*\}|probe .*)?$/.test(line));
  }

  /** Collects garbage first. */
  async held(): Promise<Held> {
    const before = this.#probes().length;
    process.kill(this.#launched.pid, 'SIGUSR2');
    const text = await eventually(`${this.member.name} says what it holds`, async () => {
      if (!this.isRunning) throw new Error(`${this.member.name} is gone`);
      return this.#probes()[before];
    });
    const probed = JSON.parse(text) as Record<'rss' | 'heapUsed' | 'external', number> &
      Pick<Held, 'resources'>;
    return {
      rssMiB: Math.round(probed.rss / MEBIBYTE),
      heapMiB: Math.round(probed.heapUsed / MEBIBYTE),
      externalMiB: Math.round(probed.external / MEBIBYTE),
      resources: probed.resources,
      ...this.#openFiles(),
    };
  }

  #probes(): readonly string[] {
    const lines = this.#launched.stderr.split('\n').slice(0, -1);
    return lines.filter((line) => line.startsWith('probe ')).map((line) => line.slice(6));
  }

  #openFiles(): Pick<Held, 'sockets' | 'descriptors'> {
    const directory = `/proc/${this.#launched.pid}/fd`;
    const names = readdirSync(directory);
    const isSocket = (name: string): boolean => {
      try {
        return readlinkSync(join(directory, name)).startsWith('socket:');
      } catch {
        // Closed since it was listed.
        return false;
      }
    };
    return { sockets: names.filter(isSocket).length, descriptors: names.length };
  }
}

export interface Cluster {
  readonly victims: readonly Victim[];
  readonly targets: readonly Target[];
}

export async function startVictims(lab: Lab): Promise<Cluster> {
  const members = await realMembers(lab, 3, FLAGS);
  const victims = members.map((member) => new Victim(lab, member));
  await Promise.all(victims.map((victim) => victim.serves()));
  await findLeader(members);
  const headers = await Promise.all(
    members.map((member) => eventually('its ids', async () => (await member.status())?.header)),
  );
  const removedId = await addAndRemove(members[0]!);
  const ids = new Set(headers.map(({ memberId }) => memberId));
  const targets = members.map((member, at) => ({
    clientPort: Number(member.endpoint.split(':')[1]),
    peerPort: peerPortOf(member),
    id: headers[at]!.memberId,
    clusterId: headers[at]!.clusterId,
    members: ids,
    removedId,
  }));
  return { victims, targets };
}

function peerPortOf(member: RealMember): number {
  const url = member.flags[member.flags.indexOf('--listen-peer-urls') + 1]!;
  return Number(new URL(url).port);
}

/** A learner that never starts and is removed again: its id is one that nobody may use. */
async function addAndRemove(member: RealMember): Promise<bigint> {
  const added = (await eventually('a member added', () =>
    ask(member, 'cluster/member/add', { peerURLs: ['http://127.0.0.1:9'], isLearner: true }),
  )) as { readonly member: { readonly ID: string } };
  const { ID } = added.member;
  await eventually('a member removed', () => ask(member, 'cluster/member/remove', { ID }));
  return BigInt(ID);
}

/** By the gateway; throws what it says if it refuses. */
export async function ask(member: RealMember, path: string, request: object): Promise<unknown> {
  const response = await fetch(`http://${member.endpoint}/v3/${path}`, {
    method: 'POST',
    body: JSON.stringify(request),
    headers: { connection: 'close' },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return JSON.parse(text);
}
