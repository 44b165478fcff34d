/** Makes the scratch pod, says so, and waits to be killed: nothing gets removed. */

import { DockerScratch } from '../../harness/doctor/docker/scratch.ts';
import { RealClock } from '../../src/host/real-clock.ts';

const [runId = '', path = ''] = process.argv.slice(2);
const bench = { clock: new RealClock(), runId };
const scratch = await DockerScratch.open(bench, { kind: 'etcd', path }, () => undefined);
await scratch.pod();
process.stdout.write('open\n');
setInterval(() => undefined, 1_000);
