/** Opens a cluster of one member, says so, and waits to be killed: nothing gets disposed. */

import { openDockerCluster } from '../../harness/cluster/docker/docker-cluster.ts';
import { etcdConfig } from './docker-lab.ts';

const [runId = '', runDirectory = ''] = process.argv.slice(2);
await openDockerCluster(etcdConfig(runId, 1, runDirectory));
console.log('open');
setInterval(() => undefined, 1_000);
