import type { MemberId } from '../lib/ids.ts';
import type { MemberNode } from '../member/node.ts';
import type { PeerAnswer, PeerQuestion } from '../member/peer-question.ts';
import type { Clock } from '../ports/clock.ts';
import type { PasswordHasher } from '../ports/password-hasher.ts';
import type { Random } from '../ports/random.ts';
import type { TokenProvider } from '../ports/token-provider.ts';
import type { SnapshotExport } from '../snap/snapshot-export.ts';
import { AuthService } from './auth.ts';
import { AuthGate } from './auth-gate.ts';
import { ClusterService } from './cluster.ts';
import { type CorruptionChecks, CorruptionMonitor } from './corruption.ts';
import { ElectionService } from './election.ts';
import { KvService } from './kv.ts';
import { LeaseService } from './lease.ts';
import { DEFAULT_SERVICE_LIMITS, type ServiceLimits } from './limits.ts';
import { LockService } from './lock.ts';
import { MaintenanceService } from './maintenance.ts';
import { peerAnswers } from './peer-answers.ts';
import { Quota } from './quota.ts';
import type { Digest } from './snapshot-stream.ts';
import { KeyWatches } from './wait-for-delete.ts';
import { DEFAULT_WATCH_OPTIONS, WatchService, type WatchServiceOptions } from './watch.ts';
import { LeaderMonitor } from './watch-leader.ts';

/** Every service of a member, and what they share. The same over real ports and simulated ones. */
export interface AllServices {
  readonly kv: KvService;
  readonly watch: WatchService;
  readonly lease: LeaseService;
  readonly cluster: ClusterService;
  readonly maintenance: MaintenanceService;
  readonly auth: AuthService;
  readonly lock: LockService;
  readonly election: ElectionService;
  readonly quota: Quota;
  /** For callers that insist on a leader. */
  hasLeader(): boolean;
  /** What other members are told. */
  readonly answers: (question: PeerQuestion) => Promise<PeerAnswer>;
  /** Stops watching over streams. */
  close(): void;
}

export interface ServicePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly hasher: PasswordHasher;
  /** Undefined: logins make simple tokens. */
  readonly signedTokens: TokenProvider | undefined;
  readonly snapshots: SnapshotExport;
  readonly newDigest: () => Digest;
  readonly newMemberId: (peerUrls: readonly string[]) => MemberId;
  readonly onDefragment?: () => () => void;
}

export interface ServiceSettings {
  readonly electionMs: number;
  /** Undefined: no limit. */
  readonly quotaBytes: number | undefined;
  readonly strictReconfigCheck: boolean;
  /** Undefined: none. */
  readonly corruption?: CorruptionChecks;
  readonly limits: ServiceLimits;
  readonly watch: WatchServiceOptions;
  readonly tokenTtlMs: number;
}

/** etcd's, for an election timeout. */
export function defaultServiceSettings(electionMs: number): ServiceSettings {
  return {
    electionMs,
    quotaBytes: 2 * 1024 * 1024 * 1024,
    strictReconfigCheck: true,
    limits: DEFAULT_SERVICE_LIMITS,
    watch: DEFAULT_WATCH_OPTIONS,
    tokenTtlMs: 300_000,
  };
}

/** How often streams are looked after that insist on a leader. */
const MONITOR_INTERVAL_MS = 100;

export function createServices(
  node: MemberNode,
  ports: ServicePorts,
  settings: ServiceSettings,
): AllServices {
  const { clock, random, hasher, signedTokens, snapshots, newDigest, newMemberId } = ports;
  const { electionMs, strictReconfigCheck: isStrict, limits, tokenTtlMs } = settings;
  const requestTimeoutMs = 5_000 + 2 * electionMs;
  const gate = new AuthGate(node, { signedTokens, tokenTtlMs });
  const quota = new Quota(node, settings.quotaBytes);
  const leaders = new LeaderMonitor(node, { electionMs });
  const pause = (): Promise<void> => new Promise((resolve) => clock.soon(resolve));
  const sleep = (delayMs: number): Promise<void> =>
    new Promise((resolve) => clock.after(delayMs, resolve));
  const kv = new KvService(node, { gate, quota, limits, pause });
  const lease = new LeaseService({ node, gate, quota, leaders, clock, random, requestTimeoutMs });
  const queues = { kv, watches: new KeyWatches(node.watches), leases: lease, clock };
  const none = { checkMs: 0, compactHashCheckMs: 0 };
  const corruption = new CorruptionMonitor(node, settings.corruption ?? none, {
    clock,
    pause,
    askTimeoutMs: requestTimeoutMs,
  });
  const monitor = clock.every(MONITOR_INTERVAL_MS, () => leaders.tick());
  return {
    kv,
    lease,
    quota,
    hasLeader: () => node.status().leader !== undefined,
    watch: new WatchService({ node, gate, leaders, random }, settings.watch),
    cluster: new ClusterService(node, {
      gate,
      isStrict,
      newMemberId,
      askTimeoutMs: requestTimeoutMs,
      handOverMs: electionMs,
      sleep,
    }),
    maintenance: new MaintenanceService(node, {
      gate,
      quota,
      snapshots,
      newDigest,
      pause,
      onDefragment: ports.onDefragment,
      sleep,
      transferTimeoutMs: requestTimeoutMs,
    }),
    auth: new AuthService({ node, gate, hasher, random, signedTokens }),
    lock: new LockService(queues),
    election: new ElectionService(queues),
    answers: peerAnswers(node, { isStrict, pause }),
    close: () => {
      monitor[Symbol.dispose]();
      corruption.close();
    },
  };
}
