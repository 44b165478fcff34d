/**
 * A cluster of one member beside the real one, on what a snapshot holds: `etcdctl snapshot restore`
 * makes its data directory, the target's own server starts on it. Local processes, whatever the
 * backend.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ClusterError, type ClusterNode, type Target } from '../cluster/cluster.ts';
import { choosePorts } from '../cluster/process/ports.ts';
import { childEnvironment } from '../cluster/process/programs.ts';
import { Registration } from '../cluster/process/registry.ts';
import { Program } from '../scenarios/lab/program.ts';

const RESTORE_MS = 20_000;
const NAME = 'side';

const execute = promisify(execFile);

export interface SideMember {
  readonly node: ClusterNode;
  readonly isRunning: boolean;
  readonly log: string;
  close(): Promise<void>;
}

export interface SideCluster {
  /** Resolves when the server is launched. Throws ClusterError, with nothing left behind. */
  open(snapshot: Uint8Array): Promise<SideMember>;
}

/** The etcdctl beside the target's binary, or the first on the path; undefined: there is none. */
export function findEtcdctl(target: Target): string | undefined {
  const beside = target.kind === 'etcd' ? [dirname(target.path)] : [];
  const directories = [...beside, ...(process.env.PATH ?? '').split(delimiter)];
  return directories.map((directory) => join(directory, 'etcdctl')).find(isExecutable);
}

export function sideReport(target: Target): {
  readonly available: boolean;
  readonly detail: string;
} {
  const tool = findEtcdctl(target);
  if (tool === undefined) return { available: false, detail: 'no etcdctl on the path' };
  return { available: true, detail: `${tool} snapshot restore, and a server on a process beside` };
}

export class LocalSideCluster implements SideCluster {
  readonly #config: { readonly target: Target; readonly runId: string; readonly directory: string };
  #opened = 0;

  /** `directory`: where its files go, and are removed from. */
  constructor(config: { target: Target; runId: string; directory: string }) {
    this.#config = config;
  }

  async open(snapshot: Uint8Array): Promise<SideMember> {
    const { target, runId } = this.#config;
    const tool = findEtcdctl(target);
    if (tool === undefined) throw new ClusterError('no etcdctl on the path');
    const sideId = `${runId}-side${++this.#opened}`;
    const directory = join(this.#config.directory, sideId);
    const [client, peer] = await choosePorts(2, sideId);
    const place = {
      name: NAME,
      clientUrl: `http://127.0.0.1:${client}`,
      peerUrl: `http://127.0.0.1:${peer}`,
    };
    const initialCluster = `${NAME}=${place.peerUrl}`;
    const dataDirectory = join(directory, 'data');
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const registration = new Registration(sideId, join(directory, 'no-mounts'));
    const cleanUp = (): void => {
      registration.close();
      rmSync(directory, { recursive: true, force: true });
    };
    try {
      const file = join(directory, 'snapshot.db');
      writeFileSync(file, snapshot);
      await restore(tool, file, { ...place, initialCluster, dataDirectory });
      const program = new Program({
        target,
        place,
        dataDirectory,
        logPath: join(directory, 'side.log'),
        initialCluster,
        initialState: 'new',
        flags: [],
        registration,
      });
      return sideMember(program, cleanUp);
    } catch (error) {
      cleanUp();
      throw error;
    }
  }
}

function sideMember(program: Program, cleanUp: () => void): SideMember {
  const { name, clientUrl } = program.place;
  return {
    node: { name, clientUrl },
    get isRunning(): boolean {
      return program.isRunning;
    },
    get log(): string {
      return program.log;
    },
    async close() {
      await program.kill();
      cleanUp();
    },
  };
}

async function restore(
  tool: string,
  file: string,
  member: {
    readonly name: string;
    readonly peerUrl: string;
    readonly initialCluster: string;
    readonly dataDirectory: string;
  },
): Promise<void> {
  const parameters = [
    'snapshot',
    'restore',
    file,
    `--name=${member.name}`,
    `--data-dir=${member.dataDirectory}`,
    `--initial-cluster=${member.initialCluster}`,
    `--initial-advertise-peer-urls=${member.peerUrl}`,
  ];
  try {
    const env = { ...childEnvironment(), ETCDCTL_API: '3' };
    await execute(tool, parameters, { timeout: RESTORE_MS, env });
  } catch (cause) {
    const said = cause instanceof Error ? cause.message.split('\n').join(' ') : String(cause);
    throw new ClusterError(`the snapshot cannot be restored: ${said}`, { cause });
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
