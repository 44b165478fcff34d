import { beforeEach, describe, expect, test } from 'vitest';
import { healthPage } from '../../src/api/pages/health-page.ts';
import { pagesSourceOf } from '../../src/api/pages/pages-source.ts';
import { ANONYMOUS } from '../../src/service/caller.ts';
import { serviceError } from '../../src/service/errors.ts';
import { putRequest } from '../mvcc/requests.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FakeNode, MEMBER } from './fake-node.ts';
import { clusterOf, maintenanceOf } from './node-services.ts';

let node: FakeNode;
let clock: ManualClock;

beforeEach(() => {
  node = new FakeNode();
  clock = new ManualClock();
});

describe('status', () => {
  test('tells what the member knows of itself', async () => {
    node.store.put(putRequest('a', 'v'));
    expect(await maintenanceOf(node).status(ANONYMOUS)).toEqual({
      ok: true,
      value: {
        header: { clusterId: 0xc1n, memberId: 0xabcn, revision: 2, raftTerm: 3 },
        result: {
          ...node.status(),
          version: '3.6.0',
          storageVersion: '3.6.0',
          errors: [],
          dbSizeQuotaBytes: 0,
          downgradeTo: undefined,
        },
      },
    });
    expect(node.calls).toEqual([]);
  });

  test('is answered without a leader, which is an error in it', async () => {
    node.leader = undefined;
    expect(await maintenanceOf(node).status(ANONYMOUS)).toMatchObject({
      ok: true,
      value: { result: { leader: undefined, errors: ['etcdserver: no leader'] } },
    });
  });
});

describe('member list', () => {
  test('linearizable: after the barrier; the header has no revision', async () => {
    node.store.put(putRequest('a', 'v'));
    expect(await clusterOf(node).memberList({ linearizable: true }, ANONYMOUS)).toEqual({
      ok: true,
      value: {
        header: { clusterId: 0xc1n, memberId: 0xabcn, revision: 0, raftTerm: 3 },
        result: { members: [MEMBER] },
      },
    });
    expect(node.calls).toEqual(['barrier']);
  });

  test('fails with the barrier, unless any view will do', async () => {
    node.barrierFailure = 'timeout';
    const cluster = clusterOf(node);
    expect(await cluster.memberList({ linearizable: true }, ANONYMOUS)).toEqual({
      ok: false,
      error: serviceError('timeout'),
    });
    expect((await cluster.memberList({ linearizable: false }, ANONYMOUS)).ok).toBe(true);
  });

  test('is refused by a learner', async () => {
    node.isLearner = true;
    expect(await clusterOf(node).memberList({ linearizable: false }, ANONYMOUS)).toEqual({
      ok: false,
      error: serviceError('notSupportedForLearner'),
    });
  });
});

describe('health', () => {
  const check = async (query: { serializable: boolean }): Promise<unknown> => {
    const parameters = new URLSearchParams({ serializable: `${query.serializable}` });
    const page = await healthPage(pagesSourceOf(node, clock), parameters);
    const { health, reason } = JSON.parse(page.body);
    expect(page.status).toBe(health === 'true' ? 200 : 503);
    return { healthy: health === 'true', reason };
  };

  test('true once a linearizable read would be answered', async () => {
    expect(await check({ serializable: false })).toEqual({
      healthy: true,
      reason: '',
    });
    expect(node.calls).toEqual(['barrier']);
  });

  test('false without a leader, and nothing is waited for', async () => {
    node.leader = undefined;
    expect(await check({ serializable: false })).toEqual({
      healthy: false,
      reason: 'RAFT NO LEADER',
    });
    expect(node.calls).toEqual([]);
  });

  test('false when the barrier fails', async () => {
    node.barrierFailure = 'timeout';
    expect(await check({ serializable: false })).toEqual({
      healthy: false,
      reason: 'RANGE ERROR:etcdserver: request timed out',
    });
  });

  test('false after a second in which no read was answered, however long reads may wait', async () => {
    node.readBarrier = () => new Promise(() => undefined);
    const answer = check({ serializable: false });
    await clock.pass(999);
    expect(await Promise.race([answer, 'nothing yet'])).toBe('nothing yet');
    await clock.pass(1);
    expect(await answer).toEqual({
      healthy: false,
      reason: 'RANGE ERROR:context deadline exceeded',
    });
  });

  test('serializable: this member answers, that is enough', async () => {
    node.leader = undefined;
    node.barrierFailure = 'timeout';
    expect(await check({ serializable: true })).toEqual({
      healthy: true,
      reason: '',
    });
  });
});
