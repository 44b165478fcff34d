import type { FlagSpec } from './flag-spec.ts';

/** The cluster, as the member finds it at its first start. */

export type ClusterFlag =
  | 'initial-advertise-peer-urls'
  | 'advertise-client-urls'
  | 'initial-cluster'
  | 'initial-cluster-state'
  | 'initial-cluster-token'
  | 'force-new-cluster'
  | 'strict-reconfig-check'
  | 'max-learners';

export const CLUSTER_FLAGS: Readonly<Record<ClusterFlag, FlagSpec>> = {
  'initial-advertise-peer-urls': {
    argument: 'URLS',
    fallback: 'http://localhost:2380',
    help: 'how peers reach this member',
  },
  'advertise-client-urls': {
    argument: 'URLS',
    fallback: 'http://localhost:2379',
    help: 'how clients reach this member',
  },
  'initial-cluster': { argument: 'NAME=URL,…', fallback: '', help: 'all members of a new cluster' },
  'initial-cluster-state': {
    argument: 'new|existing',
    fallback: 'new',
    help: 'what the member joins',
  },
  'initial-cluster-token': {
    argument: 'TOKEN',
    fallback: 'etcd-cluster',
    help: 'tells clusters apart',
  },
  'force-new-cluster': {
    argument: undefined,
    fallback: 'false',
    help: 'start as the only member, with the data that is there',
  },
  'strict-reconfig-check': {
    argument: undefined,
    fallback: 'true',
    help: 'refuse changes of members that would lose the majority',
  },
  'max-learners': { argument: 'COUNT', fallback: '1', help: 'learners that the cluster may have' },
};
