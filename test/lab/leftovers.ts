/** What a killed harness has left on this host: looked for, not asked of those who remove it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type Dockerode from 'dockerode';
import { RUN_LABEL } from '../../harness/cluster/docker/owner.ts';

/** Where to look: everything that one harness has made holds one of these. */
export interface Trail {
  readonly pid: number;
  /** Its runs, and its temporary directory as `tmp`, lie in here. */
  readonly base: string;
  /** Of its containers and networks, as far as they were ever seen. */
  readonly containers: ReadonlySet<string>;
  readonly networks: ReadonlySet<string>;
}

const KINDS = [
  'processes',
  'mounts',
  'containers',
  'networks',
  'volumes',
  'host rules',
  'interfaces',
  'sockets',
  'temporaries',
] as const;

/** A line for each thing that is left. */
export type Leftovers = Readonly<Record<(typeof KINDS)[number], readonly string[]>>;

export async function lookFor(trail: Trail, docker: Dockerode | undefined): Promise<Leftovers> {
  const dockered =
    docker === undefined
      ? { containers: [], networks: [], volumes: [] }
      : await labelled(docker, trail.pid);
  const bridges = [...trail.networks].map((id) => `br-${id.slice(0, 12)}`);
  const holds = (text: string): boolean =>
    text.includes(trail.base) || [...trail.containers].some((id) => text.includes(id));
  return {
    processes: processes(holds),
    mounts: linesOf('/proc/self/mountinfo').filter(holds),
    containers: dockered.containers,
    networks: dockered.networks,
    volumes: dockered.volumes,
    'host rules': hostRules().filter((rule) => bridges.some((bridge) => rule.includes(bridge))),
    interfaces: readdirSync('/sys/class/net').filter((name) => bridges.includes(name)),
    sockets: linesOf('/proc/net/unix').filter((line) => line.includes('@') && holds(line)),
    temporaries: temporaries(trail),
  };
}

export function countOf(leftovers: Leftovers): number {
  return KINDS.reduce((sum, kind) => sum + leftovers[kind].length, 0);
}

/** `2 processes, 1 mounts`, or `nothing`. */
export function describe(leftovers: Leftovers): string {
  const words = KINDS.filter((kind) => leftovers[kind].length > 0).map(
    (kind) => `${leftovers[kind].length} ${kind}`,
  );
  return words.length === 0 ? 'nothing' : words.join(', ');
}

/** Container and network ids, for a {@link Trail}. */
export async function labelled(
  docker: Dockerode,
  pid: number,
): Promise<Readonly<Record<'containers' | 'networks' | 'volumes', readonly string[]>>> {
  const filters = { label: [RUN_LABEL] };
  // A run's id ends with the pid of its harness.
  const isOurs = (labels: Readonly<Record<string, string>> | null | undefined): boolean =>
    labels?.[RUN_LABEL]?.endsWith(`-${pid}`) === true;
  const [containers, networks, { Volumes }] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters: JSON.stringify(filters) }),
  ]);
  return {
    containers: containers.filter(({ Labels }) => isOurs(Labels)).map(({ Id }) => Id),
    networks: networks.filter(({ Labels }) => isOurs(Labels)).map(({ Id }) => Id),
    volumes: (Volumes ?? []).filter(({ Labels }) => isOurs(Labels)).map(({ Name }) => Name),
  };
}

/** By command line, environment (its TMPDIR is handed down) and cgroup. */
function processes(holds: (text: string) => boolean): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => ['cmdline', 'environ', 'cgroup'].some((of) => holds(textOf(pid, of))))
    .filter((pid) => !/^State:\s+Z/m.test(textOf(pid, 'status')))
    .map((pid) => `${pid} ${textOf(pid, 'cmdline').replaceAll('\0', ' ')}`);
}

/** A process may end while it is looked at. */
function textOf(pid: string, of: string): string {
  try {
    return readFileSync(`/proc/${pid}/${of}`, 'utf8');
  } catch {
    return '';
  }
}

function hostRules(): readonly string[] {
  const commands = [['iptables-save'], ['iptables-legacy-save'], ['nft', 'list', 'ruleset']];
  return commands.flatMap(([program, ...parameters]) => {
    try {
      const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
      return execFileSync(program!, parameters, { encoding: 'utf8', stdio }).split('\n');
    } catch {
      // Not installed, or not possible here: then no rule was made with it either.
      return [];
    }
  });
}

/** All but the directory of the registry itself, and compiled code, which is for every run. */
function temporaries({ base, pid }: Trail): readonly string[] {
  const root = join(base, 'tmp');
  const found = readdirSync(root).flatMap((name) => {
    if (name.startsWith('stormraft-compile-cache-')) return [];
    if (!name.startsWith('stormraft-processes-')) return [join(root, name)];
    return readdirSync(join(root, name)).map((entry) => join(root, name, entry));
  });
  const memory = existsSync('/dev/shm') ? readdirSync('/dev/shm') : [];
  return [...found, ...memory.filter((name) => name.endsWith(`-${pid}`))];
}

function linesOf(path: string): readonly string[] {
  return readFileSync(path, 'utf8').split('\n');
}
