import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { Index, MemberId } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { StatusResponseSchema } from './gen/etcdserverpb/rpc_pb.ts';
import { fromGeneratedHeader, safeNumber, toGeneratedHeader } from './generated-fields.ts';
import type { WireError } from './proto-reader.ts';
import type { AnswerMessage } from './range-messages.ts';

/** etcdserverpb.StatusResponse, by the generated codec: asked for seldom. */

export interface StatusMessage {
  /** API level of the server, e.g. `3.6.0`. */
  readonly version: string;
  readonly dbSizeBytes: number;
  readonly dbSizeInUseBytes: number;
  readonly leader: MemberId | undefined;
  /** Commit index. */
  readonly raftIndex: Index;
  readonly appliedIndex: Index;
  readonly errors: readonly string[];
  readonly isLearner: boolean;
  /** Empty from servers older than 3.6. */
  readonly storageVersion: string;
  /** 0: no limit, or a server older than 3.6. */
  readonly dbSizeQuotaBytes: number;
  /** Target of a downgrade under way. */
  readonly downgradeTo: string | undefined;
}

/** The raft term goes in twice: in the header and in the answer. */
export function encodeStatusResponse(answer: AnswerMessage<StatusMessage>): Uint8Array {
  const { header, result } = answer;
  return toBinary(
    StatusResponseSchema,
    create(StatusResponseSchema, {
      header: toGeneratedHeader(header),
      version: result.version,
      dbSize: BigInt(result.dbSizeBytes),
      dbSizeInUse: BigInt(result.dbSizeInUseBytes),
      leader: result.leader ?? 0n,
      raftIndex: BigInt(result.raftIndex),
      raftTerm: BigInt(header.raftTerm),
      raftAppliedIndex: BigInt(result.appliedIndex),
      errors: [...result.errors],
      isLearner: result.isLearner,
      storageVersion: result.storageVersion,
      dbSizeQuota: BigInt(result.dbSizeQuotaBytes),
      downgradeInfo: {
        enabled: result.downgradeTo !== undefined,
        targetVersion: result.downgradeTo ?? '',
      },
    }),
  );
}

export function decodeStatusResponse(
  bytes: Uint8Array,
): Result<AnswerMessage<StatusMessage>, WireError> {
  try {
    const message = fromBinary(StatusResponseSchema, bytes);
    return ok({
      header: fromGeneratedHeader(message.header),
      result: {
        version: message.version,
        dbSizeBytes: safeNumber(message.dbSize),
        dbSizeInUseBytes: safeNumber(message.dbSizeInUse),
        leader: message.leader === 0n ? undefined : message.leader,
        raftIndex: safeNumber(message.raftIndex),
        appliedIndex: safeNumber(message.raftAppliedIndex),
        errors: message.errors,
        isLearner: message.isLearner,
        storageVersion: message.storageVersion,
        dbSizeQuotaBytes: safeNumber(message.dbSizeQuota),
        downgradeTo: message.downgradeInfo?.enabled
          ? message.downgradeInfo.targetVersion
          : undefined,
      },
    });
  } catch (error) {
    // The generated codec reports malformed bytes by throwing.
    return err({ code: 'malformed', message: String(error) });
  }
}
