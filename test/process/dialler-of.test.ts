/** Who dials, by what the kernel lists. */
import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Diallers, inodeOf, memberName } from '../../harness/cluster/process/links/dialler-of.ts';

const ROWS = [
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
  '   0: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 11 1',
  '   1: 0100007F:C001 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 22 1',
  '   2: 0100007F:C001 0100007F:1F91 01 00000000:00000000 00:00000000 00000000     0        0 33 1',
];

test('a connection has two ends in the table; the one that dialled is meant', () => {
  expect(inodeOf(ROWS, { from: 0xc001, to: 8080 })).toBe('22');
  expect(inodeOf(ROWS, { from: 0xc001, to: 8081 })).toBe('33');
  expect(inodeOf(ROWS, { from: 0xc002, to: 8080 })).toBeUndefined();
});

test('a process is a member by the token of the run on its command line', () => {
  const line = ['node', 'main.ts', '--name=n2', '--initial-cluster-token=run-1', ''].join('\0');
  expect(memberName(line, 'run-1')).toBe('n2');
  expect(memberName(line, 'run-2')).toBeUndefined();
  expect(memberName(['vi', '--name=n2'].join('\0'), 'run-1')).toBeUndefined();
});

test.runIf(process.platform === 'linux')('who is no member of the run is nobody', async () => {
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer(accepted.resolve).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const dialled = connect(address.port, '127.0.0.1');
  try {
    expect(await new Diallers('no such run').of(await accepted.promise)).toBeUndefined();
  } finally {
    dialled.destroy();
    server.close();
  }
});
