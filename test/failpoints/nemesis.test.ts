/** The fault kind, on a cluster that remembers what was done to it. */
import { describe, expect, test } from 'vitest';
import {
  type FailpointAccess,
  type FailpointReply,
  Failpoints,
  failpointReport,
} from '../../harness/cluster/failpoint-control.ts';
import { failpoint } from '../../harness/nemesis/failpoint.ts';
import type { FaultSpec } from '../../harness/nemesis/fault.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { FakeCluster } from '../harness/fake-cluster.ts';
import { inTurn, run } from '../harness/nemesis-lab.ts';

const PANIC: FaultSpec = { kind: 'failpoint', node: 'leader', point: 'raftAfterSave', sleepMs: 0 };
const SLEEP: FaultSpec = { kind: 'failpoint', node: 'n1', point: 'walAfterSync', sleepMs: 50 };

/** Nodes that do at once what is set, unless `reaches` is false. */
class Fake extends FakeCluster implements FailpointAccess {
  readonly terms: Map<string, string> = new Map();
  readonly logs: Map<string, string> = new Map();
  readonly reaches: boolean;
  readonly failpoints: Failpoints = new Failpoints(this);

  constructor(reaches = true) {
    super();
    this.reaches = reaches;
  }

  async request(
    node: string,
    { method, path, body = '' }: { method: string; path: string; body?: string },
  ): Promise<FailpointReply | undefined> {
    if (this.dead.has(node)) return undefined;
    this.calls.push(`${method} ${node} ${path} ${body}`.trim());
    const isSet = this.terms.has(node);
    if (method === 'DELETE') this.terms.delete(node);
    if (method === 'DELETE') return { status: isSet ? 204 : 400, body: '' };
    if (method === 'GET')
      return isSet ? { status: 200, body: this.reaches ? '7' : '0' } : { status: 500, body: '' };
    this.terms.set(node, body);
    if (body === 'panic' && this.reaches) {
      this.dead.add(node);
      this.logs.set(node, `{"msg":"x"}\npanic: failpoint panic: ${path}\n`);
    }
    return { status: 204, body: '' };
  }

  async logTail(node: string): Promise<string> {
    return this.logs.get(node) ?? '';
  }
}

describe('failpoint', () => {
  test('dies at the point, and is started', async () => {
    const fake = new Fake();
    const { records, context } = await run(inTurn([PANIC]), { cluster: fake });
    expect(records[0]).toMatchObject({
      effect: 'observed',
      description: 'leader n2 dies at raftAfterSave',
      observation: 'n2 gone: panic: failpoint panic: raftAfterSave',
    });
    expect(fake.isWhole).toBe(true);
    expect(context.diedAlone).toEqual(new Set());
    expect(fake.calls).toContain('start n2');
  });

  test('waits at the point, and the point is taken back', async () => {
    const fake = new Fake();
    const { records } = await run(inTurn([SLEEP]), { cluster: fake });
    expect(records[0]).toMatchObject({
      effect: 'observed',
      description: 'n1 waits 50 ms each time at walAfterSync',
      observation: 'n1 has waited 7 times',
    });
    expect(fake.calls).toEqual(expect.arrayContaining(['PUT n1 walAfterSync sleep(50)']));
    expect(fake.terms.size).toBe(0);
    expect(fake.calls.filter((call) => call.startsWith('start'))).toEqual([]);
  });

  test.each([
    [PANIC, 'n2 still runs'],
    [SLEEP, 'n1 has waited 0 times'],
  ])('a point that is not reached has no effect: %o', async (spec, observation) => {
    const fake = new Fake(false);
    const { records } = await run(inTurn([spec]), { cluster: fake });
    expect(records[0]).toMatchObject({ effect: 'no-effect', observation });
    expect(fake.terms.size).toBe(0);
    expect(fake.isWhole).toBe(true);
  });

  test('a death elsewhere is not taken for one at the point', async () => {
    const fake = new Fake();
    fake.logTail = async () => '{"msg":"internal error"}\n';
    const { records } = await run(inTurn([PANIC]), { cluster: fake });
    expect(records[0]).toMatchObject({ effect: 'no-effect' });
    expect(records[0]!.observation).toContain('not at a failpoint');
  });

  test('what is drawn: points of the leader take the leader', () => {
    const random = seededRandom(5);
    const drawn = Array.from({ length: 200 }, () => failpoint.plan(['n1', 'n2', 'n3'], random));
    expect(new Set(drawn.map(({ point }) => point)).size).toBe(7);
    const ofLeader = drawn.filter(({ point }) => point === 'raftBeforeLeaderSend');
    expect(new Set(ofLeader.map(({ node }) => node))).toEqual(new Set(['leader']));
    const panics = drawn.filter(({ sleepMs }) => sleepMs === 0).length;
    expect(panics).toBeGreaterThan(120);
    expect(panics).toBeLessThan(180);
  });
});

describe('the capability', () => {
  const ours = { kind: 'stormraft', root: '/' } as const;

  test('is there when asked for; a binary without failpoints has none', () => {
    const asked = { instruments: ['failpoints'] as const };
    const how = 'somehow';
    expect(failpointReport({ target: ours, ...asked }, how)).toMatchObject({ available: true });
    expect(failpointReport({ target: ours }, how).detail).toContain('only when asked');
    const without = { kind: 'etcd', path: '/bin/sh' } as const;
    const report = failpointReport({ target: without, ...asked }, how);
    expect(report).toMatchObject({ available: false });
    expect(report.detail).toContain('built without failpoints');
    // This very file has the mark in it, as a binary that was built with them.
    const built = { kind: 'etcd', path: import.meta.filename } as const;
    expect('GOFAIL_FAILPOINTS').toHaveLength(17);
    expect(failpointReport({ target: built, ...asked }, how).available).toBe(true);
  });
});
