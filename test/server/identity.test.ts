import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import type { MemberInfo } from '../../src/member/node.ts';
import { type IdentityOptions, identify } from '../../src/server/identity.ts';
import { askPeerMembers, membersPage } from '../../src/server/peer-members.ts';

/** Ids above 2^53, where a rounded number would show. */
const SELF = 0xf000_0000_0000_0001n;
const OTHER = 0xf000_0000_0000_0002n;
const CLUSTER = 0xc000_0000_0000_0001n;
const SELF_URL = 'http://127.0.0.1:1';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** The URL of a peer port on which `body` is found. */
async function peerWith(
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/members' ? 200 : 404, { ...headers });
    response.end(body);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

function peerThatKnows(members: readonly MemberInfo[], clusterId = CLUSTER): Promise<string> {
  const { headers, body } = membersPage({ clusterId, members });
  return peerWith(body, headers);
}

function info(id: bigint, changes: Partial<MemberInfo> = {}): MemberInfo {
  const member = { name: '', peerUrls: [SELF_URL], clientUrls: [], isLearner: false };
  return { id, ...member, ...changes };
}

function optionsWith(otherUrl: string, state: 'new' | 'existing'): IdentityOptions {
  const self = { id: SELF, name: 'me', peerUrls: [SELF_URL] };
  const other = { id: OTHER, name: 'you', peerUrls: [otherUrl] };
  return { self, clusterId: CLUSTER, initialMembers: [self, other], state, tls: {} };
}

const STARTED = { name: 'x, "y"\n', clientUrls: ['http://127.0.0.1:3'] };

describe('the members that a peer tells', () => {
  test('come back as they are, 64-bit ids unrounded', async () => {
    const members = [info(SELF), info(OTHER, { ...STARTED, isLearner: true })];
    const url = await peerThatKnows(members);
    expect(await askPeerMembers([url], {})).toEqual({ clusterId: CLUSTER, members });
  });

  test('are asked of the next URL where the first does not answer', async () => {
    const url = await peerThatKnows([info(OTHER)]);
    const found = await askPeerMembers(['http://127.0.0.1:1', url], {});
    expect(found?.members).toEqual([info(OTHER)]);
  });

  test.each([
    ['', { 'x-etcd-cluster-id': 'c1' }],
    ['[]', { 'x-etcd-cluster-id': 'c1' }],
    ['<html>', { 'x-etcd-cluster-id': 'c1' }],
    ['[{"id":7,"peerURLs":[]}]', {}],
    ['[{"id":7,"peerURLs":[]}]', { 'x-etcd-cluster-id': 'not hex' }],
  ])('make no sense: %j, %j', async (body, headers) => {
    expect(await askPeerMembers([await peerWith(body, headers)], {})).toBeUndefined();
  });
});

describe('a new cluster', () => {
  test('is begun by who is told nothing else', async () => {
    expect(await identify(optionsWith('http://127.0.0.1:1', 'new'))).toEqual({
      ok: true,
      value: {
        memberId: SELF,
        clusterId: CLUSTER,
        fresh: 'newCluster',
        members: [
          info(SELF, { name: 'me' }),
          info(OTHER, { name: 'you', peerUrls: ['http://127.0.0.1:1'] }),
        ],
      },
    });
  });

  test('is begun beside members that have not heard of this one yet', async () => {
    const url = await peerThatKnows([info(SELF), info(OTHER, STARTED)]);
    expect(await identify(optionsWith(url, 'new'))).toMatchObject({ ok: true });
  });

  test('is refused to a member that had started, and so has lost its directory', async () => {
    const url = await peerThatKnows([info(SELF, STARTED)]);
    const refused = await identify(optionsWith(url, 'new'));
    if (refused.ok) throw new Error('not refused');
    expect(refused.error).toContain("'etcdctl member remove f000000000000001'");
    expect(refused.error).toContain("'etcdctl member add me --peer-urls=http://127.0.0.1:1'");
  });

  test('may have the ids of another cluster', async () => {
    const url = await peerThatKnows([info(SELF, STARTED)], 0xc2n);
    expect(await identify(optionsWith(url, 'new'))).toMatchObject({ ok: true });
  });
});

describe('a member of an existing cluster', () => {
  test('is who the others say, by its peer URLs', async () => {
    const members = [info(0x77n), info(OTHER, { ...STARTED, peerUrls: ['http://127.0.0.1:9'] })];
    const url = await peerThatKnows(members, 0xc2n);
    expect(await identify(optionsWith(url, 'existing'))).toEqual({
      ok: true,
      value: { memberId: 0x77n, clusterId: 0xc2n, members, fresh: 'joinsCluster' },
    });
  });

  test('that had started has lost its directory', async () => {
    const url = await peerThatKnows([info(0x77n, STARTED)]);
    const refused = await identify(optionsWith(url, 'existing'));
    expect(refused.ok ? '' : refused.error).toContain("'etcdctl member remove 77'");
  });

  test('must have been added before', async () => {
    const url = await peerThatKnows([info(OTHER, { peerUrls: ['http://127.0.0.1:9'] })]);
    const refused = await identify(optionsWith(url, 'existing'));
    expect(refused.ok ? '' : refused.error).toContain("'etcdctl member add me");
  });

  test('needs somebody to ask', async () => {
    const refused = await identify(optionsWith('http://127.0.0.1:1', 'existing'));
    expect(refused.ok ? '' : refused.error).toContain('none of the other members answers');
  });
});
