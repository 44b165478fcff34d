/** The command lines inside the containers. Paths are the Dockerfile's; ports are the holder's. */

import { NEXT_FAULT } from '../../disk/operations/state-directory.ts';
import type { ClusterConfig, Target } from '../cluster.ts';
import { throughRelay } from '../log-relay.ts';
import { clockedNode } from '../member-clock.ts';
import { tlsFlags } from '../tls-files.ts';
import { CLOCK_PORT } from './clock-port.ts';
import { withFailpoints } from './node-failpoints.ts';

/** Ports inside a node's network namespace. Each namespace is one node's own: no collisions. */
export const PORTS = {
  client: 2379,
  peer: 2380,
  agent: 7070,
  diskControl: 7071,
  /** Where peers are led while links are not good. */
  peerProxy: 7072,
} as const;

/** Between a server and its log, in runs that ask for it. */
export const LOG_FIFO = '/tmp/storm-log';
/** The dynamic linker knows what $LIB is. */
const FAKETIME = '/usr/$LIB/faketime/libfaketimeMT.so.1';

const TOOLS = '/opt/storm/tools';
const SERVER = '/opt/storm/server';
/** What the server writes to; behind it `BACKING` when the disk-fault server is in between. */
const DATA = '/data';
/** The holder's volume. */
export const BACKING_ROOT = '/backing';
const BACKING = `${BACKING_ROOT}/disk`;
/** On the volume: files change here while the server is dead, too. */
const TLS_DIRECTORY = `${BACKING_ROOT}/tls`;
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

/** Leaves an order for the disk's next start. */
export function orderCommand(fault: string): readonly string[] {
  const write = 'require("node:fs").writeFileSync(process.argv[1], process.argv[2])';
  return ['node', '-e', write, `${DISK_STATE}/${NEXT_FAULT}`, fault];
}

const SAVED = `${BACKING_ROOT}/saved`;
/** Flags of a member that was added to a running cluster, as one line. */
const JOIN_FLAGS = `${BACKING_ROOT}/join-flags`;

/** What can be done in the holder to the files of a dead member. */
export const DATA_COMMANDS: {
  readonly wipe: readonly string[];
  readonly save: readonly string[];
  readonly restore: readonly string[];
  join(flags: string): readonly string[];
} = {
  // What the disk keeps for undoing belongs to the files.
  wipe: ['rm', '-rf', BACKING, `${DISK_STATE}/kept`],
  save: ['sh', '-c', `rm -rf ${SAVED} && cp -a ${BACKING} ${SAVED}`],
  restore: ['sh', '-c', `rm -rf ${BACKING} ${DISK_STATE}/kept && cp -a ${SAVED} ${BACKING}`],
  join: (flags: string): readonly string[] => [
    'sh',
    '-c',
    `printf %s "$1" > ${JOIN_FLAGS}`,
    'sh',
    flags,
  ],
};

/** `command`, with the flags behind it that {@link DATA_COMMANDS} has left, if any. */
export function joinable(command: readonly string[]): readonly string[] {
  return ['sh', '-c', `exec "$@" $(cat ${JOIN_FLAGS} 2>/dev/null)`, 'sh', ...command];
}

export function memberPeerUrl(ip: string, { tls }: Pick<ClusterConfig, 'tls'> = {}): string {
  return `${tls === true ? 'https' : 'http'}://${ip}:${PORTS.peer}`;
}

/** Writes files over those of the same names, each at once; `contents` is JSON. */
export function tlsFilesCommand(contents: string): readonly string[] {
  const program = `
    const { mkdirSync, renameSync, writeFileSync } = require('node:fs');
    const [directory, contents] = process.argv.slice(1);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const [name, content] of Object.entries(JSON.parse(contents))) {
      writeFileSync(directory + '/next', content, { mode: 0o600 });
      renameSync(directory + '/next', directory + '/' + name);
    }`;
  return ['node', '-e', program, TLS_DIRECTORY, contents];
}

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
  const bare = [...program(config.target), ...serverFlags(config, member, run.members)];
  const server = withFailpoints(config, instrumented(config, bare));
  if (!run.slowDisk) return server;
  const control = `0.0.0.0:${PORTS.diskControl}`;
  const places = ['--mount', DATA, '--backing', BACKING, '--state', DISK_STATE];
  const fault = config.disk === undefined ? [] : ['--fault', JSON.stringify(config.disk.fault)];
  return [...DISK_PROGRAM, ...places, '--control', control, ...fault, '--', ...server];
}

/** Made ready for what the run asks for. */
function instrumented(config: ClusterConfig, server: readonly string[]): readonly string[] {
  const { target, instruments = [] } = config;
  const isClocked = instruments.includes('clock') && target.kind === 'stormraft';
  const clocked = isClocked
    ? clockedNode({
        library: FAKETIME,
        file: '/tmp/storm-clock',
        port: CLOCK_PORT,
        program: `${TOOLS}/harness/cluster/clock-program.ts`,
        command: server,
      })
    : server;
  return instruments.includes('log-relay') ? throughRelay(LOG_FIFO, undefined, clocked) : clocked;
}

function program(target: Target): readonly string[] {
  return target.kind === 'etcd' ? [`${SERVER}/etcd`] : ['node', `${SERVER}/src/main.ts`];
}

function serverFlags(
  config: ClusterConfig,
  { name, ip }: Address,
  members: readonly Address[],
): readonly string[] {
  const scheme = config.tls === true ? 'https' : 'http';
  const clientUrl = (address: string): string => `${scheme}://${address}:${PORTS.client}`;
  const flags: Readonly<Record<string, string | number>> = {
    name,
    'data-dir': `${DATA}/${name}.etcd`,
    'listen-client-urls': clientUrl('0.0.0.0'),
    'advertise-client-urls': clientUrl(ip),
    'listen-peer-urls': memberPeerUrl('0.0.0.0', config),
    'initial-advertise-peer-urls': memberPeerUrl(ip, config),
    'initial-cluster': members.map((m) => `${m.name}=${memberPeerUrl(m.ip, config)}`).join(','),
    'initial-cluster-state': 'new',
    'initial-cluster-token': config.runId,
    'heartbeat-interval': config.heartbeatMs,
    'election-timeout': config.electionMs,
  };
  const given = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  return [...given, ...(config.tls === true ? tlsFlags(TLS_DIRECTORY) : []), ...config.serverFlags];
}
