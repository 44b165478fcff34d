/** The links of the process backend, with a real etcd. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Cluster } from '../../harness/cluster/cluster.ts';
import { openProcessCluster } from '../../harness/cluster/process/process-cluster.ts';
import { etcdConfig, findEtcd } from '../docker/docker-lab.ts';
import { testLinks } from '../network/link-contract.ts';

const isSkipped = findEtcd() === undefined && process.env.CI !== 'true';

describe.skipIf(isSkipped)('the links of three etcd processes', { timeout: 60_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'storm-links-'));
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await openProcessCluster(etcdConfig(`links-test-${process.pid}`, 3, directory));
  }, 60_000);

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  testLinks(() => cluster);
});
