import type { PagesSource } from '../../src/api/pages/pages-source.ts';
import { err, ok } from '../../src/lib/result.ts';
import { CLUSTER_ID, MEMBER_ID } from './fake-services.ts';

/** What tests change about the member behind the pages. */
export interface FakeState {
  healthy: boolean;
  isLed: boolean;
  isLearner?: boolean;
  alarms?: string[];
}

/** A member that is ill has a leader that does not answer. */
export function fakePages(state: FakeState): PagesSource {
  return {
    status: () => ({
      clusterId: CLUSTER_ID,
      memberId: MEMBER_ID,
      leader: state.isLed && state.healthy ? MEMBER_ID : undefined,
      term: 7,
      raftIndex: 21,
      appliedIndex: 20,
      revision: 5,
      dbSizeBytes: 8192,
      dbSizeInUseBytes: 4096,
      isLearner: state.isLearner ?? false,
    }),
    members: () => [
      {
        id: MEMBER_ID,
        name: 'm1',
        peerUrls: ['http://127.0.0.1:2380'],
        clientUrls: ['http://127.0.0.1:2379'],
        isLearner: false,
      },
    ],
    alarms: () => (state.alarms ?? []).map((type) => ({ type })),
    read: async ({ serializable }) =>
      serializable || state.healthy ? ok(undefined) : err('etcdserver: no leader'),
    versions: () => ({
      server: '3.6.0',
      cluster: state.isLed ? '3.6.0' : undefined,
      storage: '3.6.0',
    }),
  };
}
