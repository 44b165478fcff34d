import { describe, expect, test } from 'vitest';
import {
  currentOwner,
  isOwnerGone,
  type Owner,
  ownerOf,
  processStartTime,
  runLabels,
} from '../../harness/cluster/docker/owner.ts';

const self: Owner = {
  pid: 1,
  startTime: '7',
  machine: 'here',
  bootId: 'boot',
  pidNamespace: 'pid:[1]',
};

describe('labels', () => {
  test('name run, owner and boot, and are read back', () => {
    const owner: Owner = {
      pid: 42,
      startTime: 'Mon Jan  1 10:00',
      machine: 'm',
      bootId: 'b',
      pidNamespace: 'p',
    };
    const labels = runLabels('r1', owner);
    expect(labels).toMatchObject({
      'stormraft.run': 'r1',
      'stormraft.owner': '42:Mon Jan  1 10:00',
      'stormraft.boot': 'b',
    });
    expect(ownerOf(labels)).toEqual(owner);
  });

  test('of others have no owner', () => {
    expect(ownerOf({})).toBeUndefined();
    expect(ownerOf({ 'stormraft.run': 'r1' })).toBeUndefined();
    expect(ownerOf({ 'stormraft.owner': '42:7' })).toBeUndefined();
  });
});

describe('an owner', () => {
  const startTimeOf = (pid: number): string | undefined => (pid === 42 ? '900' : undefined);
  const gone = (changes: Partial<Owner>): boolean =>
    isOwnerGone({ ...self, pid: 42, startTime: '900', ...changes }, self, startTimeOf);

  test('lives while its process does', () => {
    expect(gone({})).toBe(false);
  });

  test('is gone with its process', () => {
    expect(gone({ pid: 43 })).toBe(true);
  });

  test('is gone when its pid belongs to a later process', () => {
    expect(gone({ startTime: '800' })).toBe(true);
  });

  test('is gone after a reboot, though pid and start time may be met again', () => {
    expect(gone({ bootId: 'earlier boot' })).toBe(true);
  });

  test('of another machine cannot be judged, so it lives', () => {
    expect(gone({ machine: 'there', bootId: 'its boot', pid: 43 })).toBe(false);
  });

  test('of another pid namespace cannot be judged, so it lives', () => {
    expect(gone({ pid: 43, pidNamespace: 'pid:[2]' })).toBe(false);
  });
});

test('this process is an owner that lives', () => {
  const owner = currentOwner();
  expect(owner.pid).toBe(process.pid);
  expect(owner.startTime).not.toBe('');
  expect(isOwnerGone(owner, currentOwner(), processStartTime)).toBe(false);
});
