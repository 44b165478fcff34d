import { describe, expect, test } from 'vitest';
import type { ClusterConfig } from '../../harness/cluster/cluster.ts';
import { demuxLogs } from '../../harness/cluster/docker/log-frames.ts';
import { serverCommand } from '../../harness/cluster/docker/server-command.ts';

const members = [
  { name: 'n1', ip: '10.0.0.2' },
  { name: 'n2', ip: '10.0.0.3' },
];
const config: ClusterConfig = {
  runId: 'r1',
  memberCount: 2,
  heartbeatMs: 50,
  electionMs: 500,
  runDirectory: '/run',
  target: { kind: 'stormraft', root: '/copy' },
  serverFlags: ['--snapshot-count=2000'],
};
const etcd: ClusterConfig = { ...config, target: { kind: 'etcd', path: '/bin/etcd' } };

describe('the server command', () => {
  test("has etcd's flags, then the run's own", () => {
    const command = serverCommand(etcd, members[1]!, { members, slowDisk: false });
    expect(command).toEqual([
      '/opt/storm/server/etcd',
      '--name=n2',
      '--data-dir=/data/n2.etcd',
      '--listen-client-urls=http://0.0.0.0:2379',
      '--advertise-client-urls=http://10.0.0.3:2379',
      '--listen-peer-urls=http://0.0.0.0:2380',
      '--initial-advertise-peer-urls=http://10.0.0.3:2380',
      '--initial-cluster=n1=http://10.0.0.2:2380,n2=http://10.0.0.3:2380',
      '--initial-cluster-state=new',
      '--initial-cluster-token=r1',
      '--heartbeat-interval=50',
      '--election-timeout=500',
      '--snapshot-count=2000',
    ]);
  });

  test('runs ours with node and the same flags', () => {
    const theirs = serverCommand(etcd, members[0]!, { members, slowDisk: false });
    const ours = serverCommand(config, members[0]!, { members, slowDisk: false });
    expect(ours.slice(0, 2)).toEqual(['node', '/opt/storm/server/src/main.ts']);
    expect(ours.slice(2)).toEqual(theirs.slice(1));
  });

  test('stands behind the disk-fault server when there is one', () => {
    const plain = serverCommand(config, members[0]!, { members, slowDisk: false });
    const command = serverCommand(config, members[0]!, { members, slowDisk: true });
    const at = command.indexOf('--');
    expect(command.slice(1, at)).toEqual([
      '/opt/storm/tools/harness/disk/main.ts',
      '--mount',
      '/data',
      '--backing',
      '/backing/disk',
      '--state',
      '/backing/state',
      '--control',
      '0.0.0.0:7071',
    ]);
    expect(command.slice(at + 1)).toEqual(plain);
  });
});

describe('framed logs', () => {
  const frame = (stream: number, text: string): Buffer => {
    const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
    head.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([head, Buffer.from(text)]);
  };

  test('become the text of both streams in order', () => {
    const framed = Buffer.concat([frame(1, 'one\n'), frame(2, 'twö\n'), frame(1, '')]);
    expect(demuxLogs(framed).toString()).toBe('one\ntwö\n');
  });

  test('may be cut short', () => {
    const framed = Buffer.concat([frame(1, 'one\n'), frame(2, 'two\n')]);
    expect(demuxLogs(framed.subarray(0, -2)).toString()).toBe('one\ntw');
    expect(demuxLogs(framed.subarray(0, 12 + 5)).toString()).toBe('one\n');
    expect(demuxLogs(Buffer.alloc(0)).toString()).toBe('');
  });
});
