/** etcdserverpb.Maintenance: what its calls mean. */
import { create } from '@bufbuild/protobuf';
import { ok, type Result } from '../lib/result.ts';
import type { MemberNode } from '../member/node.ts';
import type { SnapshotExport } from '../snap/snapshot-export.ts';
import {
  AlarmRequest_AlarmAction as AlarmAction,
  AlarmMemberSchema,
  type AlarmRequest,
  type AlarmResponse,
  AlarmResponseSchema,
  AlarmType as AlarmTypeNumber,
  type DefragmentRequest,
  type DefragmentResponse,
  DefragmentResponseSchema,
  DowngradeRequest_DowngradeAction as DowngradeAction,
  type DowngradeRequest,
  type DowngradeResponse,
  DowngradeResponseSchema,
  type HashKVRequest,
  type HashKVResponse,
  HashKVResponseSchema,
  type HashRequest,
  type HashResponse,
  HashResponseSchema,
  type MoveLeaderRequest,
  type MoveLeaderResponse,
  MoveLeaderResponseSchema,
  type SnapshotRequest,
  type SnapshotResponse,
} from '../wire/gen/etcdserverpb/rpc_pb.ts';
import { safeNumber, toGeneratedHeader } from '../wire/generated-fields.ts';
import type { Alarm, AlarmType } from '../wire/internal-request.ts';
import { answer, headerOf, refuse } from './answer.ts';
import { API_VERSION, STORAGE_VERSION } from './api-version.ts';
import type { AuthGate } from './auth-gate.ts';
import type { Caller } from './caller.ts';
import { downgradeTarget } from './downgrade.ts';
import { type ServiceError, serviceError } from './errors.ts';
import type { Quota } from './quota.ts';
import type { Reply, StatusResult } from './response.ts';
import { type Digest, streamSnapshot } from './snapshot-stream.ts';
import type { AnswerStream, StreamSink } from './stream.ts';

export interface MaintenanceParts {
  readonly gate: AuthGate;
  readonly quota: Quota;
  readonly snapshots: SnapshotExport;
  readonly newDigest: () => Digest;
  /** Lets other work have its turn; long work is done in pieces. */
  readonly pause: () => Promise<void>;
  /** Told of each defragmentation, for metrics: when it begins, and by the result when it ends. */
  readonly onDefragment?: (() => () => void) | undefined;
  /** How long a leader may take to hand over. */
  readonly transferTimeoutMs: number;
  readonly sleep: (delayMs: number) => Promise<void>;
}

/** What one piece of long work may take, so that nobody else waits for it. */
const ROWS_PER_TURN = 2_000;
const DEFRAGMENT_BYTES_PER_TURN = 256 * 1024;
/** Between two pieces, each of which takes about half of it: writes pass through many turns. */
const DEFRAGMENT_REST_MS = 2;
const TRANSFER_LOOK_MS = 10;

type Answered<Response> = Promise<Result<Response, ServiceError>>;

/** Answers about one member, whatever the state of the cluster; and looks after it. */
export class MaintenanceService {
  readonly #node: MemberNode;
  readonly #parts: MaintenanceParts;

  constructor(node: MemberNode, parts: MaintenanceParts) {
    this.#node = node;
    this.#parts = parts;
  }

  /** Of this member alone: answered without a leader too, and says so if there is none. */
  async status(caller: Caller): Reply<StatusResult> {
    const admitted = this.#parts.gate.permit(caller, { type: 'anyUser' });
    if (!admitted.ok) return refuse(admitted.error);
    const status = this.#node.status();
    const errors = status.leader === undefined ? [serviceError('noLeader').message] : [];
    return answer(this.#node, status.revision, {
      ...status,
      version: API_VERSION,
      storageVersion: STORAGE_VERSION,
      errors: [...errors, ...this.#node.alarms().map(alarmText)],
      dbSizeQuotaBytes: this.#parts.quota.bytes ?? 0,
      downgradeTo: this.#node.downgradeTo,
    });
  }

  /** An alarm without a type is nothing to put on or off: answered, and not logged. */
  async alarm({ action, memberID, alarm }: AlarmRequest, caller: Caller): Answered<AlarmResponse> {
    const type = ALARM_TYPES[alarm];
    if (action === AlarmAction.GET || type === undefined) return this.#listAlarms(type, caller);
    const verb = action === AlarmAction.ACTIVATE ? 'activate' : 'deactivate';
    const request = { action: verb, memberId: memberID, type } as const;
    const admitted = await this.#parts.gate.permitRequest(caller, { type: 'alarm', request });
    if (!admitted.ok) return refuse(admitted.error);
    const applied = await this.#node.propose({ type: 'alarm', request }, admitted.value);
    if (!applied.ok) return refuse(applied.error);
    const { result, revision } = applied.value;
    return ok(this.#alarmResponse(result.type === 'alarm' ? result.alarms : [], revision));
  }

  /** Moves rows together, piece by piece: reads and writes go on meanwhile. */
  async defragment(_: DefragmentRequest, caller: Caller): Answered<DefragmentResponse> {
    const denied = await this.#denyAllButAdmins(caller);
    if (denied !== undefined) return denied;
    const ended = this.#parts.onDefragment?.();
    while (this.#node.store.defragmentStep(DEFRAGMENT_BYTES_PER_TURN)) {
      await this.#parts.sleep(DEFRAGMENT_REST_MS);
    }
    ended?.();
    return ok(create(DefragmentResponseSchema, { header: this.#header() }));
  }

  /** Of the whole database as a file, as far as it is the same on members at one index. */
  async hash(_: HashRequest, caller: Caller): Answered<HashResponse> {
    const denied = await this.#denyAllButAdmins(caller);
    if (denied !== undefined) return denied;
    const header = this.#header();
    const hash = await this.#parts.snapshots.hash();
    return ok(create(HashResponseSchema, { header, hash }));
  }

  async hashKv({ revision }: HashKVRequest, caller: Caller): Answered<HashKVResponse> {
    const denied = await this.#denyAllButAdmins(caller);
    if (denied !== undefined) return denied;
    const hashed = await hashInPieces(this.#node, safeNumber(revision), this.#parts.pause);
    if (!hashed.ok) return refuse(hashed.error);
    const { hash, compactRevision, hashRevision } = hashed.value;
    return ok(
      create(HashKVResponseSchema, {
        header: this.#header(),
        hash,
        // As etcd says it of a store that was never compacted.
        compactRevision: BigInt(compactRevision === 0 ? -1 : compactRevision),
        hashRevision: BigInt(hashRevision),
      }),
    );
  }

  /** A file that stock tools restore; the last message is the checksum of all before it. */
  snapshot(_: SnapshotRequest, caller: Caller, sink: StreamSink<SnapshotResponse>): AnswerStream {
    return streamSnapshot(sink, {
      admit: () => this.#denyAllButAdmins(caller),
      snapshots: this.#parts.snapshots,
      newDigest: this.#parts.newDigest,
      header: () => this.#header(),
    });
  }

  async moveLeader({ targetID }: MoveLeaderRequest, caller: Caller): Answered<MoveLeaderResponse> {
    const denied = await this.#denyAllButAdmins(caller);
    if (denied !== undefined) return denied;
    const { leader, memberId } = this.#node.status();
    if (leader !== memberId) return refuse('notLeader');
    const target = this.#node.members().find(({ id }) => id === targetID);
    if (target === undefined || target.isLearner) return refuse('badTransferee');
    if (targetID !== memberId) this.#node.transferLeadership(targetID);
    const { transferTimeoutMs, sleep } = this.#parts;
    for (let waitedMs = 0; waitedMs < transferTimeoutMs; waitedMs += TRANSFER_LOOK_MS) {
      if (this.#node.status().leader === targetID) {
        return ok(create(MoveLeaderResponseSchema, { header: this.#header() }));
      }
      await sleep(TRANSFER_LOOK_MS);
    }
    return refuse('transferTimeout');
  }

  async downgrade(
    { action, version }: DowngradeRequest,
    caller: Caller,
  ): Answered<DowngradeResponse> {
    const denied = await this.#denyAllButAdmins(caller);
    if (denied !== undefined) return denied;
    const admitted = await this.#parts.gate.admit(caller);
    const auth = admitted.ok ? admitted.value : undefined;
    const barrier = await this.#node.readBarrier();
    if (!barrier.ok) return refuse(barrier.error);
    const { clusterVersion, downgradeTo } = this.#node;
    if (action === DowngradeAction.CANCEL) {
      if (downgradeTo === undefined) return refuse('noDowngrade');
      const cancelled = await this.#node.propose(
        { type: 'downgradeInfo', enabled: false, version: '' },
        auth,
      );
      if (!cancelled.ok) return refuse(cancelled.error);
    } else {
      const target = downgradeTarget(clusterVersion, version);
      if (!target.ok) return refuse(target.error);
      if (downgradeTo !== undefined) return refuse('downgradeInProgress');
      if (action === DowngradeAction.ENABLE) {
        const enabled = await this.#node.propose(
          { type: 'downgradeInfo', enabled: true, version: target.value },
          auth,
        );
        if (!enabled.ok) return refuse(enabled.error);
      }
    }
    const header = this.#header();
    return ok(create(DowngradeResponseSchema, { header, version: clusterVersion }));
  }

  async #listAlarms(type: AlarmType | undefined, caller: Caller): Answered<AlarmResponse> {
    const barrier = await this.#node.readBarrier();
    if (!barrier.ok) return refuse(barrier.error);
    const admitted = this.#parts.gate.permit(caller, { type: 'anyUser' });
    if (!admitted.ok) return refuse(admitted.error);
    const alarms = this.#node.alarms().filter((on) => type === undefined || on.type === type);
    return ok(this.#alarmResponse(alarms, this.#node.status().revision));
  }

  #alarmResponse(alarms: readonly Alarm[], revision: number): AlarmResponse {
    return create(AlarmResponseSchema, {
      header: toGeneratedHeader(headerOf(this.#node, revision)),
      alarms: alarms.map(({ memberId, type }) =>
        create(AlarmMemberSchema, { memberID: memberId, alarm: AlarmTypeNumber[type] }),
      ),
    });
  }

  #header(): ReturnType<typeof toGeneratedHeader> {
    return toGeneratedHeader(headerOf(this.#node, this.#node.status().revision));
  }

  async #denyAllButAdmins(caller: Caller): Promise<Result<never, ServiceError> | undefined> {
    const who = await this.#parts.gate.admit(caller);
    if (!who.ok) return refuse(who.error);
    const admitted = this.#parts.gate.permit(caller, { type: 'admin' });
    return admitted.ok ? undefined : refuse(admitted.error);
  }
}

/** A million keys are hashed without anybody having to wait for it. */
export async function hashInPieces(
  node: MemberNode,
  revision: number,
  pause: () => Promise<void>,
): Promise<ReturnType<MemberNode['store']['hashKv']>> {
  const opened = node.store.hashKvSteps(revision);
  if (!opened.ok) return opened;
  const steps = opened.value;
  try {
    for (;;) {
      const hashed = steps.step(ROWS_PER_TURN);
      if (hashed !== undefined) return ok(hashed);
      await pause();
    }
  } finally {
    steps.release();
  }
}

/** As etcd lists an alarm among a member's errors. */
function alarmText({ memberId, type }: Alarm): string {
  return `memberID:${memberId} alarm:${type} `;
}

const ALARM_TYPES: Readonly<Record<AlarmTypeNumber, AlarmType | undefined>> = {
  [AlarmTypeNumber.NONE]: undefined,
  [AlarmTypeNumber.NOSPACE]: 'NOSPACE',
  [AlarmTypeNumber.CORRUPT]: 'CORRUPT',
};
