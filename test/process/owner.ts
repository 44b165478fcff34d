/** Started by `process-cluster.test.ts`: opens a cluster, says so, and waits to be killed. */

import { openProcessCluster } from '../../harness/cluster/process/process-cluster.ts';

const [runId, runDirectory, etcd] = process.argv.slice(2);
await openProcessCluster({
  runId: runId!,
  memberCount: 1,
  heartbeatMs: 100,
  electionMs: 1000,
  runDirectory: runDirectory!,
  target: { kind: 'etcd', path: etcd! },
  serverFlags: [],
});
process.stdout.write('open\n');
setInterval(() => undefined, 60_000);
