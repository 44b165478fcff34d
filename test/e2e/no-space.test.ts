/** The quota: what it refuses, what it allows, and the way out, by stock etcdctl. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isMissing } from '../support/stock-etcd.ts';
import { eventually, Lab } from './lab.ts';
import { type RealMember, realMembers, startAll } from './real-members.ts';
import { etcdctl, runEtcdctl } from './stock-tools.ts';

const MISSING = isMissing('etcdctl');
const title = MISSING ? 'NOSPACE (not run: etcdctl is not installed)' : 'NOSPACE';
const QUOTA_BYTES = 2 * 1024 * 1024;

let lab: Lab;
let members: readonly RealMember[];
beforeEach(async () => {
  lab = new Lab();
  members = await realMembers(lab, 3, ['--quota-backend-bytes', `${QUOTA_BYTES}`]);
  await startAll(members);
});
afterEach(() => lab[Symbol.asyncDispose]());

describe.skipIf(MISSING)(title, () => {
  test('stops growth everywhere; compaction, defragmentation and disarming bring it back', async () => {
    const [one, two] = members as [RealMember, RealMember];
    const all = members.map(({ endpoint }) => endpoint).join();
    const ctl = (...args: string[]): Promise<string> => etcdctl(lab, two.endpoint, args);
    const big = 'x'.repeat(64 * 1024);
    let puts = 0;
    while (await one.put('big', big)) {
      puts++;
      expect(puts).toBeLessThan(QUOTA_BYTES / big.length + 1);
    }
    await eventually('the alarm', async () => (await ctl('alarm', 'list')).includes('NOSPACE'));
    for (const { endpoint } of members) {
      const refused = await runEtcdctl(lab, endpoint, ['put', 'small', 'x']);
      expect(refused.stderr).toContain('etcdserver: mvcc: database space exceeded');
      const lease = await runEtcdctl(lab, endpoint, ['lease', 'grant', '60']);
      expect(lease.stderr).toContain('etcdserver: mvcc: database space exceeded');
      expect((await fetch(`http://${endpoint}/health`)).status).toBe(503);
      expect((await fetch(`http://${endpoint}/health?exclude=NOSPACE`)).status).toBe(200);
    }
    expect(await ctl('get', 'big', '--keys-only')).toBe('big\n\n');
    const status = await ctl('endpoint', 'status', '-w', 'json');
    expect(status).toContain('alarm:NOSPACE');
    const { revision } = JSON.parse(status)[0].Status.header;
    const sizeBytes = JSON.parse(status)[0].Status.dbSize;
    await ctl('compact', `${revision}`, '--physical');
    await etcdctl(lab, all, ['defrag']);
    await eventually('room on every member', async () => {
      const sizes = await Promise.all(members.map((m) => m.status()));
      return sizes.every((found) => found !== undefined && found.dbSizeBytes < sizeBytes / 4);
    });
    // Room alone does not put the alarm off.
    expect((await runEtcdctl(lab, one.endpoint, ['put', 'small', 'x'])).code).not.toBe(0);
    expect(await ctl('alarm', 'disarm')).toContain('NOSPACE');
    expect(await ctl('alarm', 'list')).toBe('');
    for (const { endpoint } of members) await etcdctl(lab, endpoint, ['put', 'small', 'x']);
    const after = JSON.parse(await ctl('endpoint', 'status', '-w', 'json'))[0].Status.dbSize;
    process.stdout.write(
      `quota ${QUOTA_BYTES} bytes: full after ${puts} puts of ${big.length}, ${sizeBytes} bytes; ${after} after\n`,
    );
  });
});
