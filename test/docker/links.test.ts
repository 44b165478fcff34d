/** The links of the docker backend, with a real etcd. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Cluster } from '../../harness/cluster/cluster.ts';
import { openDockerCluster } from '../../harness/cluster/docker/docker-cluster.ts';
import { testLinks } from '../network/link-contract.ts';
import { dockerBlocker, etcdConfig } from './docker-lab.ts';

const blocker = await dockerBlocker();
const title = blocker === undefined ? 'docker links' : `docker links (not run: ${blocker})`;

describe.skipIf(blocker !== undefined)(title, { timeout: 60_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'storm-docker-links-'));
  let cluster: Cluster;

  beforeAll(async () => {
    const runId = `links-${process.pid}-${Date.now().toString(36)}`;
    cluster = await openDockerCluster(etcdConfig(runId, 3, directory));
  }, 90_000);

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  testLinks(() => cluster);
});
