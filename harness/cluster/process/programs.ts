/** The commands that the process backend runs: the servers, the disk in front, the links. */

import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClusterConfig, DiskFault } from '../cluster.ts';
import { tlsFlags } from '../tls-files.ts';
import { ownerMark } from './owner-mark.ts';

/** Where a member listens; the other members dial its proxy. All on 127.0.0.1, fixed for a run. */
export interface MemberPorts {
  readonly client: number;
  readonly peer: number;
  readonly proxy: number;
  readonly diskControl: number;
  /** Of the server's endpoint for them; only where the run asks for it. */
  readonly failpoints?: number;
}

export interface MemberAddress {
  readonly name: string;
  readonly ports: MemberPorts;
}

/** A way to get a mount namespace of one's own; the rest of the command line follows. */
export type Unshare = readonly ['unshare', ...string[]];

/** A program of the harness beside this file: `.ts` in the repository, `.js` once published. */
export function programPath(relativePath: string): string {
  return fileURLToPath(new URL(relativePath + extname(import.meta.url), import.meta.url));
}

export function peerUrl(ports: MemberPorts, { tls }: Secured = {}): string {
  return `${tls === true ? 'https' : 'http'}://127.0.0.1:${ports.proxy}`;
}

export function clientUrl(ports: MemberPorts, { tls }: Secured = {}): string {
  return `${tls === true ? 'https' : 'http'}://127.0.0.1:${ports.client}`;
}

type Secured = Pick<ClusterConfig, 'tls'>;

/** Where the certificates of a run's members are. */
export function tlsPath({ runDirectory }: Pick<ClusterConfig, 'runDirectory'>): string {
  return resolve(runDirectory, 'tls');
}

/** The server's command line. Ours takes etcd's flags. */
export function serverCommand(
  config: ClusterConfig,
  member: MemberAddress & { readonly dataDirectory: string },
  members: readonly MemberAddress[],
): readonly [string, ...string[]] {
  const { target } = config;
  const program: readonly [string, ...string[]] =
    target.kind === 'etcd' ? [target.path] : [process.execPath, join(target.root, 'src/main.ts')];
  const cluster = members.map(({ name, ports }) => `${name}=${peerUrl(ports, config)}`).join(',');
  return [
    ...program,
    `--name=${member.name}`,
    `--data-dir=${member.dataDirectory}`,
    `--listen-client-urls=${clientUrl(member.ports, config)}`,
    `--advertise-client-urls=${clientUrl(member.ports, config)}`,
    `--listen-peer-urls=${peerUrl({ ...member.ports, proxy: member.ports.peer }, config)}`,
    `--initial-advertise-peer-urls=${peerUrl(member.ports, config)}`,
    `--initial-cluster=${cluster}`,
    '--initial-cluster-state=new',
    `--initial-cluster-token=${config.runId}`,
    `--heartbeat-interval=${config.heartbeatMs}`,
    `--election-timeout=${config.electionMs}`,
    ...(config.tls === true ? tlsFlags(join(tlsPath(config), member.name)) : []),
    ...config.serverFlags,
  ];
}

/** `command`, on a disk of ours, in a mount namespace that ends with it. */
export function onDisk(
  command: readonly [string, ...string[]],
  disk: {
    readonly unshare: Unshare;
    readonly mount: string;
    readonly backing: string;
    readonly state: string;
    readonly controlPort: number;
    readonly fsyncDelayMs: number;
    readonly fault: DiskFault;
  },
): readonly [string, ...string[]] {
  return [
    ...disk.unshare,
    process.execPath,
    programPath('../../disk/main'),
    `--mount=${disk.mount}`,
    `--backing=${disk.backing}`,
    `--control=127.0.0.1:${disk.controlPort}`,
    `--state=${disk.state}`,
    `--fsync-delay-ms=${disk.fsyncDelayMs}`,
    `--fault=${JSON.stringify(disk.fault)}`,
    '--',
    ...command,
  ];
}

/**
 * The harness's environment, less what would configure an etcd behind the run's back. Compiled
 * TypeScript is cached between starts: a restart is what the kill nemesis measures.
 */
export function childEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('ETCD_'));
  const cache = join(tmpdir(), `stormraft-compile-cache-${process.getuid?.() ?? 0}`);
  return { ...Object.fromEntries(kept), NODE_COMPILE_CACHE: cache, ...ownerMark() };
}
