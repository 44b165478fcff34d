/** One run: three members, attackers on all their ports, clients that behave, and the verdict. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, Lab } from '../e2e/lab.ts';
import type { RealMember } from '../e2e/real-members.ts';
import { type Chance, chanceOf } from './chance.ts';
import { GOOD_PREFIX, GoodClient } from './good-client.ts';
import { grpcAttack } from './grpc-attacks.ts';
import { gatewayAttack, noiseAttack, webSocketAttack } from './http1-attacks.ts';
import { http2Attack } from './http2-attacks.ts';
import { peerFramesAttack, peerNoiseAttack } from './peer-attacks.ts';
import { OpenSockets } from './raw.ts';
import { Tally } from './tally.ts';
import type { Attack, Target } from './target.ts';
import { ask, type Cluster, type Held, startVictims, type Victim } from './victims.ts';

export interface PortRunOptions {
  readonly seed: number;
  /** Of the attacks, without what is waited between them. */
  readonly durationMs: number;
  /** Default: looked at several times, each after all time-outs of the members. */
  readonly isShort?: boolean;
  readonly print: (line: string) => void;
}

export interface PortRun {
  readonly tally: Tally;
  /** Empty: nothing was harmed. */
  readonly problems: readonly string[];
  /** Of each member, at the start, then after 10, 50 and 100 % of the run; of a short one, after. */
  readonly held: ReadonlyMap<string, readonly Held[]>;
  readonly goodPuts: number;
  readonly goodReads: number;
}

const ATTACKS: readonly Attack[] = [
  grpcAttack,
  grpcAttack,
  http2Attack,
  noiseAttack,
  gatewayAttack,
  webSocketAttack,
  peerNoiseAttack,
  peerFramesAttack,
  peerFramesAttack,
];
const ATTACKERS = 6;
/** Looked at after these parts of the run, with nobody attacking. */
const STAGES: readonly number[] = [0.1, 0.4, 0.5];
/** Until what the attackers left behind has timed out. */
const SETTLE_MS = 13_000;
/** Descriptors that come and go by themselves: segments of the log, checkpoints. */
const SPARE_DESCRIPTORS = 8;
/** Of the good clients, and of whoever asks at the end. */
const SPARE_SOCKETS = 3;

export async function fuzzPorts(options: PortRunOptions): Promise<PortRun> {
  await using lab = new Lab();
  const { seed, durationMs, isShort = false, print } = options;
  const cluster = await startVictims(lab);
  const tools = { chance: chanceOf(seed), tally: new Tally(), sockets: new OpenSockets() };
  const held = new Map<string, Held[]>(cluster.victims.map(({ member }) => [member.name, []]));
  const problems: string[] = [];
  await look(cluster, held, print, 'start');
  let isOver = false;
  const clients = cluster.victims.map(({ member }) => new GoodClient(member.name, member.endpoint));
  const working = clients.map((client) => client.run(() => isOver));
  let part = 0;
  for (const share of isShort ? [1] : STAGES) {
    await attack(cluster, tools, durationMs * share);
    part += share;
    const dead = cluster.victims.filter(({ isRunning }) => !isRunning);
    for (const { member } of dead) problems.push(`${member.name} died`);
    if (dead.length > 0) break;
    if (part > 0.99) isOver = true;
    await settle(cluster, tools.sockets, isShort ? 0 : SETTLE_MS);
    await look(cluster, held, print, `${Math.round(part * 100)} %`);
  }
  isOver = true;
  await Promise.all(working);
  problems.push(...(await judge(cluster, clients, held, print)));
  for (const { member } of cluster.victims) member.client.close();
  const sum = (count: (client: GoodClient) => number): number =>
    clients.reduce((total, client) => total + count(client), 0);
  for (const client of clients) {
    print(
      `good client: ${client.puts} puts, ${client.watched} events, longest ${client.longestMs} ms`,
    );
  }
  const [goodPuts, goodReads] = [sum(({ puts }) => puts), sum(({ reads }) => reads)];
  return { tally: tools.tally, problems, held, goodPuts, goodReads };
}

interface Tools {
  readonly chance: Chance;
  readonly tally: Tally;
  readonly sockets: OpenSockets;
}

async function attack({ victims, targets }: Cluster, tools: Tools, forMs: number): Promise<void> {
  const endMs = Date.now() + forMs;
  const goesOn = (): boolean => Date.now() < endMs && victims.every(({ isRunning }) => isRunning);
  const attacker = async (): Promise<void> => {
    while (goesOn()) {
      const target: Target = tools.chance.pick(targets);
      await tools.chance.pick(ATTACKS)(target, tools);
    }
  };
  await Promise.all(Array.from({ length: ATTACKERS }, attacker));
}

/** Nothing of the attackers stays open; what was written is compacted away. */
async function settle({ victims }: Cluster, sockets: OpenSockets, forMs: number): Promise<void> {
  sockets.destroy();
  const { member } = victims[0]!;
  const { header } = (await ask(member, 'kv/range', { key: 'AA==' })) as Answer;
  // A compaction of the fuzzer's may be ahead of it.
  await ask(member, 'kv/compaction', { revision: header.revision }).catch(() => undefined);
  await sleep(forMs);
}

interface Answer {
  readonly header: { readonly revision: string };
}

async function look(
  { victims }: Cluster,
  held: ReadonlyMap<string, Held[]>,
  print: PortRunOptions['print'],
  when: string,
): Promise<void> {
  for (const victim of victims) {
    const now = await victim.held();
    const { name } = victim.member;
    held.get(name)!.push(now);
    const { rssMiB, heapMiB, externalMiB, sockets, descriptors, resources } = now;
    const memory = `RSS ${rssMiB} MiB, heap ${heapMiB} MiB, external ${externalMiB} MiB`;
    const files = `${sockets} sockets, ${descriptors} descriptors`;
    print(`${when.padEnd(6)} ${name}: ${memory}, ${files}, ${JSON.stringify(resources)}`);
  }
}

async function judge(
  { victims }: Cluster,
  clients: readonly GoodClient[],
  held: ReadonlyMap<string, readonly Held[]>,
  print: PortRunOptions['print'],
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const client of clients) {
    const seen = await client.close();
    for (const [key, number] of client.acknowledged) {
      if ((seen.get(key) ?? 0) < number) problems.push(`the watcher never saw ${key} = ${number}`);
    }
    for (const [text, count] of client.errors) problems.push(`good client: ${count} × ${text}`);
  }
  for (const victim of victims) problems.push(...ownProblems(victim, held, print));
  if (victims.every(({ isRunning }) => isRunning)) {
    const members = victims.map(({ member }) => member);
    for (const member of members) problems.push(...(await lost(member, clients)));
    problems.push(...(await compareHashes(members)));
  }
  return problems;
}

/** What a member's own output and descriptors say. */
function ownProblems(
  victim: Victim,
  held: ReadonlyMap<string, readonly Held[]>,
  print: PortRunOptions['print'],
): string[] {
  const { name, dataDir } = victim.member;
  const problems = victim.otherOutput.map((line) => `${name} printed: ${line}`);
  const said = new Map<string, number>();
  for (const { level, msg } of victim.log) {
    if (level !== 'info' && level !== 'debug') said.set(msg, (said.get(msg) ?? 0) + 1);
  }
  const counts = [...said].map(([msg, count]) => `${count} × ${msg}`);
  print(`${name} logged: ${counts.join(', ')}`);
  const bugs = victim.log.filter(
    ({ level, msg }) =>
      level === 'fatal' || /bug|internal error|unsafe|checkpoint failed/.test(msg),
  );
  for (const line of bugs.slice(0, 10)) problems.push(`${name} logged: ${JSON.stringify(line)}`);
  const [before, ...later] = held.get(name)!;
  const after = later.at(-1);
  if (before !== undefined && after !== undefined) {
    const grown = after.descriptors - before.descriptors;
    const sockets = after.sockets - before.sockets;
    if (sockets > SPARE_SOCKETS) problems.push(`${name} has ${sockets} sockets more than before`);
    if (grown > SPARE_DESCRIPTORS)
      problems.push(`${name} has ${grown} descriptors more than before`);
  }
  const left = readdirSync(join(dataDir, 'member', 'snap')).filter((file) => /\.part$/.test(file));
  if (left.length > 0) problems.push(`${name} keeps pieces of snapshots: ${left.join()}`);
  return problems;
}

async function lost(member: RealMember, clients: readonly GoodClient[]): Promise<string[]> {
  const wanted = clients.flatMap(({ acknowledged }) => [...acknowledged]);
  const found = await eventually(`${member.name} is up to date`, () =>
    member.read(GOOD_PREFIX, 'linearizable'),
  );
  const behind = wanted.filter(([key, number]) => Number(found.get(key) ?? 0) < number);
  return behind.map(([key, number]) => `${member.name} has lost ${key} = ${number}`);
}

async function compareHashes(members: readonly RealMember[]): Promise<string[]> {
  const answer = (await ask(members[0]!, 'kv/range', { key: 'AA==' })) as Answer;
  const { revision } = answer.header;
  const hashes = await Promise.all(
    members.map(async (member) => {
      const hashed = (await ask(member, 'maintenance/hashkv', { revision })) as HashAnswer;
      return `${hashed.hash} (compacted at ${hashed.compact_revision})`;
    }),
  );
  const isEqual = new Set(hashes).size === 1;
  return isEqual ? [] : [`HashKV at revision ${revision} differs: ${hashes.join(', ')}`];
}

interface HashAnswer {
  readonly hash: number;
  readonly compact_revision: string;
}
