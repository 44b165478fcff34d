/** Whether members can have a disk of ours here, and how. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { err, ok, type Result } from '../../../src/lib/result.ts';
import { programPath, type Unshare } from './programs.ts';

const PROBE_MS_MAX = 20_000;

const execute = promisify(execFile);

/** Tries a scratch mount in a mount namespace; an unprivileged user needs a user namespace too. */
export async function probeDisk(environment: NodeJS.ProcessEnv): Promise<Result<Unshare, string>> {
  if (process.platform !== 'linux') {
    return err(`FUSE needs Linux, this is ${process.platform}; use the docker backend`);
  }
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const unshare: Unshare = ['unshare', '--mount', ...user, '--propagation', 'private'];
  const [program, ...parameters] = unshare;
  const command = [...parameters, process.execPath, programPath('../../disk/main'), '--probe'];
  try {
    await execute(program, command, { timeout: PROBE_MS_MAX, env: environment });
    return ok(unshare);
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    return err(said.split('\n')[0] || (error instanceof Error ? error.message : String(error)));
  }
}
