/** The other target: a real etcd. */

import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { isProgram } from '../../options.ts';
import { no, type Probe, yes } from '../probe.ts';
import type { ProcessScratch } from './scratch.ts';

const execute = promisify(execFile);

export const ETCD_PROBE: Probe<ProcessScratch> = {
  mechanism: 'a real etcd in PATH',
  backend: 'process',
  usedBy: [],
  fallback: '--target etcd:PATH with its full path; --target stormraft',
  async run(scratch, signal) {
    const directories = (process.env.PATH ?? '').split(delimiter);
    const path = directories.map((directory) => join(directory, 'etcd')).find(isProgram);
    if (path === undefined) return no('no executable named etcd in PATH');
    const { stdout } = await execute(path, ['--version'], { env: scratch.environment, signal });
    const version = /etcd Version: (\S+)/i.exec(stdout)?.[1];
    return version === undefined ? no(`${path} tells no version`) : yes(`${version}, ${path}`);
  },
};
