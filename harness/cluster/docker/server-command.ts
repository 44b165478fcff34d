/** The command lines inside the containers. Paths are the Dockerfile's; ports are the holder's. */

import type { ClusterConfig, Target } from '../cluster.ts';

/** Ports inside a node's network namespace. Each namespace is one node's own: no collisions. */
export const PORTS = {
  client: 2379,
  peer: 2380,
  agent: 7070,
  diskControl: 7071,
  /** Where peers are led while links are not good. */
  peerProxy: 7072,
} as const;

const TOOLS = '/opt/storm/tools';
const SERVER = '/opt/storm/server';
/** What the server writes to; behind it `BACKING` when the disk-fault server is in between. */
const DATA = '/data';
/** The holder's volume. */
export const BACKING_ROOT = '/backing';
const BACKING = `${BACKING_ROOT}/disk`;
const DISK_STATE = `${BACKING_ROOT}/state`;
const DISK_PROGRAM: readonly string[] = ['node', `${TOOLS}/harness/disk/main.ts`];

/** A member and its address in the run's network. */
export interface Address {
  readonly name: string;
  readonly ip: string;
}

/** The program of a node's holder container. */
export const AGENT_COMMAND: readonly string[] = [
  'node',
  `${TOOLS}/harness/cluster/docker/agent/main.ts`,
  String(PORTS.agent),
  String(PORTS.peer),
  String(PORTS.peerProxy),
];

/** Exits with 0 where a FUSE file system can be mounted, else with 4 and a line that says why. */
export const DISK_PROBE_COMMAND: readonly string[] = [...DISK_PROGRAM, '--probe'];

/** Prints what a node's disk has counted; fails where none has yet. */
export const READ_TALLY_COMMAND: readonly string[] = ['cat', `${DISK_STATE}/tally.json`];

/** Damages the log of a dead node and prints what it did. */
export function damageCommand(how: string, seed: string): readonly string[] {
  return [...DISK_PROGRAM, '--damage', how, '--backing', BACKING, '--seed', seed];
}

/** The program of a node's server container; flags are etcd's for both targets. */
export function serverCommand(
  config: ClusterConfig,
  member: Address,
  run: { readonly members: readonly Address[]; readonly slowDisk: boolean },
): readonly string[] {
  const server = [...program(config.target), ...serverFlags(config, member, run.members)];
  if (!run.slowDisk) return server;
  const control = `0.0.0.0:${PORTS.diskControl}`;
  const places = ['--mount', DATA, '--backing', BACKING, '--state', DISK_STATE];
  const fault = config.disk === undefined ? [] : ['--fault', JSON.stringify(config.disk.fault)];
  return [...DISK_PROGRAM, ...places, '--control', control, ...fault, '--', ...server];
}

function program(target: Target): readonly string[] {
  return target.kind === 'etcd' ? [`${SERVER}/etcd`] : ['node', `${SERVER}/src/main.ts`];
}

function serverFlags(
  config: ClusterConfig,
  { name, ip }: Address,
  members: readonly Address[],
): readonly string[] {
  const peerUrl = (address: string): string => `http://${address}:${PORTS.peer}`;
  const flags: Readonly<Record<string, string | number>> = {
    name,
    'data-dir': `${DATA}/${name}.etcd`,
    'listen-client-urls': `http://0.0.0.0:${PORTS.client}`,
    'advertise-client-urls': `http://${ip}:${PORTS.client}`,
    'listen-peer-urls': peerUrl('0.0.0.0'),
    'initial-advertise-peer-urls': peerUrl(ip),
    'initial-cluster': members.map((m) => `${m.name}=${peerUrl(m.ip)}`).join(','),
    'initial-cluster-state': 'new',
    'initial-cluster-token': config.runId,
    'heartbeat-interval': config.heartbeatMs,
    'election-timeout': config.electionMs,
  };
  const given = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  return [...given, ...config.serverFlags];
}
