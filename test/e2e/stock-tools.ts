/** Stock etcdctl and etcd, asked about members that are real processes. */
import { choosePorts } from '../../harness/cluster/process/ports.ts';
import { type Ended, eventually, type Lab, type Launched } from './lab.ts';
import { RealMember } from './real-members.ts';

/** etcdctl gives up by itself long before: whoever needs this hangs. */
const HANGS_MS = 60_000;

export interface Place {
  readonly endpoint: string;
  readonly peerUrl: string;
}

/** Two free ports for each; `seed` keeps tests apart. */
export async function choosePlaces(count: number, seed: string): Promise<readonly Place[]> {
  const ports = await choosePorts(2 * count, seed);
  return Array.from({ length: count }, (_, at) => ({
    endpoint: `127.0.0.1:${ports[2 * at]}`,
    peerUrl: `http://127.0.0.1:${ports[2 * at + 1]}`,
  }));
}

/** What every server here is told about its own addresses, ours or etcd's. */
export function placeFlags(name: string, { endpoint, peerUrl }: Place): readonly string[] {
  const clientUrl = `http://${endpoint}`;
  const urls = ['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl];
  urls.push('--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl);
  return ['--name', name, ...urls];
}

/** A member of ours that is not started. */
export function memberAt(
  lab: Lab,
  name: string,
  place: Place,
  extra: readonly string[],
): RealMember {
  return new RealMember(lab, name, place.endpoint, [...placeFlags(name, place), ...extra]);
}

export function runEtcdctl(
  lab: Lab,
  endpoints: string,
  args: readonly string[],
  input?: string,
): Promise<Ended> {
  const all = ['--endpoints', endpoints, '--command-timeout', '20s', ...args];
  return lab.launch('etcdctl', all, {
    environment: { ETCDCTL_API: '3' },
    timeoutMs: HANGS_MS,
    ...(input === undefined ? {} : { input }),
  }).ended;
}

/** What it printed; throws if it failed. */
export async function etcdctl(
  lab: Lab,
  endpoints: string,
  args: readonly string[],
  input?: string,
): Promise<string> {
  const { code, stdout, stderr } = await runEtcdctl(lab, endpoints, args, input);
  if (code !== 0) throw new Error(`etcdctl ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

export interface ListedMember {
  readonly id: string;
  readonly status: 'started' | 'unstarted';
  readonly name: string;
  readonly peerUrls: string;
  readonly clientUrls: string;
  readonly isLearner: boolean;
}

export async function listMembers(lab: Lab, endpoint: string): Promise<readonly ListedMember[]> {
  const lines = (await etcdctl(lab, endpoint, ['member', 'list'])).trim().split('\n');
  return lines.map((line) => {
    const [id = '', status, name = '', peerUrls = '', clientUrls = '', isLearner] =
      line.split(', ');
    if (status !== 'started' && status !== 'unstarted') throw new Error(`odd line: ${line}`);
    return { id, status, name, peerUrls, clientUrls, isLearner: isLearner === 'true' };
  });
}

/** The id of a member by its name. */
export async function idOf(lab: Lab, endpoint: string, name: string): Promise<string> {
  const found = (await listMembers(lab, endpoint)).find((member) => member.name === name);
  if (found === undefined) throw new Error(`no member ${name}`);
  return found.id;
}

/** As one endpoint tells it; revision 0: the current one. */
export async function hashKvOf(lab: Lab, endpoint: string, revision = 0): Promise<number> {
  const args = ['endpoint', 'hashkv', '-w', 'json', '--rev', `${revision}`];
  const answer: unknown = JSON.parse(await etcdctl(lab, endpoint, args));
  const { HashKV } = (answer as [{ readonly HashKV: { readonly hash: number } }])[0];
  return HashKV.hash;
}

/** A real etcd of one member, answering. */
export async function startEtcd(
  lab: Lab,
  name: string,
  place: Place,
  extra: readonly string[],
): Promise<Launched> {
  const launched = lab.launch('etcd', [...placeFlags(name, place), ...extra]);
  await etcdServes(place.endpoint, launched);
  return launched;
}

export async function etcdServes(endpoint: string, launched: Launched): Promise<void> {
  await eventually(`etcd serves at ${endpoint}`, async () => {
    if (!launched.isRunning) throw new Error(launched.stderr);
    // Not by etcdctl, which needs a user once auth is on.
    return (await fetch(`http://${endpoint}/health`)).ok;
  });
}
