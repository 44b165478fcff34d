import { describe, expect, test } from 'vitest';
import { DiskError } from '../../src/ports/disk.ts';
import { describeDiskFailure } from '../../src/server/disk-failure.ts';

describe('a refused disk operation', () => {
  test.each([
    ['ENOSPC', 'no space left on the disk (ENOSPC: 1.wal); make room, then start the member again'],
    ['EROFS', 'the disk can only be read (EROFS: 1.wal); mount it for writing, then start'],
    ['EIO', 'the disk fails (EIO: 1.wal); repair it, then start the member again'],
    ['EXDEV', 'the disk refused (EXDEV: 1.wal); put that right, then start the member again'],
  ])('%s is told in one line', (code, words) => {
    const line = describeDiskFailure(new DiskError(code, '/data/member/wal/1.wal'));
    expect(line).toContain(`/data/member/wal: ${words}`);
    expect(line).not.toContain('\n');
  });

  test('is not what a bug is', () => {
    expect(describeDiskFailure(new Error('ENOSPC'))).toBeUndefined();
    expect(describeDiskFailure(undefined)).toBeUndefined();
  });
});
