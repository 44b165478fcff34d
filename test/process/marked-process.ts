/** Started by `owner-mark.test.ts`: starts a process that it writes down nowhere, and waits. */
import { spawn } from 'node:child_process';
import { ownerMark } from '../../harness/cluster/process/owner-mark.ts';

const env = { ...process.env, ...ownerMark() };
const child = spawn('sh', ['-c', 'sleep 600; true'], { detached: true, stdio: 'ignore', env });
process.stdout.write(`${child.pid}\n`);
setInterval(() => undefined, 60_000);
