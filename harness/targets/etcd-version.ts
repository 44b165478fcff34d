/** Whether a program is an etcd that can be run, and which. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ClusterError, type Target } from '../cluster/cluster.ts';

const execute = promisify(execFile);

const LIMIT_MS = 10_000;
/** The first with the API that the clients speak. */
const MAJOR_LEAST = 3;

/**
 * The first line of what `--version` says: `etcd Version: 3.4.23`. Throws {@link ClusterError}, with
 * the option and what to give, when it cannot be run, is no etcd or is too old.
 */
export async function etcdVersion(path: string): Promise<string> {
  const said = await sayVersion(path);
  const [first = ''] = said.split('\n');
  const version = /^etcd Version: (\d+)\.\d+\.\S+/.exec(first.trim());
  if (version === null) {
    const words = first === '' ? 'says nothing' : `says ${JSON.stringify(first.slice(0, 60))}`;
    throw refusal(path, `is no etcd: --version ${words}`);
  }
  if (Number(version[1]) < MAJOR_LEAST) {
    throw refusal(path, `is too old: ${version[0]}`, `give etcd ${MAJOR_LEAST}.0 or later`);
  }
  return first.trim();
}

/**
 * Before anything is made for it. Elsewhere than on Linux a binary for containers cannot be asked.
 * Throws {@link ClusterError}.
 */
export async function refuseNoEtcd(target: Target): Promise<void> {
  if (target.kind === 'etcd' && process.platform === 'linux') await etcdVersion(target.path);
}

async function sayVersion(path: string): Promise<string> {
  try {
    return (await execute(path, ['--version'], { timeout: LIMIT_MS })).stdout;
  } catch (cause) {
    const { code, killed } = cause as { readonly code?: unknown; readonly killed?: boolean };
    if (code === 'ENOENT') throw refusal(path, `no etcd at ${path}`, undefined, cause);
    // A number: it ran, and ended so.
    const ended = typeof code === 'number' ? `ends with status ${code}` : `(${code ?? 'killed'})`;
    const why = killed === true ? `has no end after ${LIMIT_MS} ms` : ended;
    throw refusal(path, `cannot be run: --version ${why}`, undefined, cause);
  }
}

function refusal(
  path: string,
  what: string,
  fix = "give etcd's full path",
  cause?: unknown,
): ClusterError {
  return new ClusterError(`--target etcd:${path}: ${what}; ${fix}`, { cause });
}

/** A flag that a member said it does not have. */
export function unknownFlagIn(log: string): string | undefined {
  const [, go, other] =
    /flag provided but not defined: -+([\w-]+)|unknown flag:? '?-+([\w-]+)/i.exec(log) ?? [];
  return go ?? other;
}
