import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { MemberId } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import {
  MemberListRequestSchema,
  MemberListResponseSchema,
  MemberSchema,
} from './gen/etcdserverpb/rpc_pb.ts';
import { fromGeneratedHeader, toGeneratedHeader } from './generated-fields.ts';
import type { WireError } from './proto-reader.ts';
import type { AnswerMessage } from './range-messages.ts';

/** etcdserverpb.MemberListRequest and MemberListResponse, by the generated codec. */

export interface MemberListMessage {
  readonly linearizable: boolean;
}

export interface MemberMessage {
  readonly id: MemberId;
  /** Empty until the member has started once. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

export interface MembersMessage {
  readonly members: readonly MemberMessage[];
}

export function encodeMemberListRequest(request: MemberListMessage): Uint8Array {
  return toBinary(MemberListRequestSchema, create(MemberListRequestSchema, request));
}

export function decodeMemberListRequest(bytes: Uint8Array): Result<MemberListMessage, WireError> {
  try {
    const { linearizable } = fromBinary(MemberListRequestSchema, bytes);
    return ok({ linearizable });
  } catch (error) {
    // The generated codec reports malformed bytes by throwing.
    return err({ code: 'malformed', message: String(error) });
  }
}

export function encodeMemberListResponse(answer: AnswerMessage<MembersMessage>): Uint8Array {
  const members = answer.result.members.map((member) =>
    create(MemberSchema, {
      ID: member.id,
      name: member.name,
      peerURLs: [...member.peerUrls],
      clientURLs: [...member.clientUrls],
      isLearner: member.isLearner,
    }),
  );
  const header = toGeneratedHeader(answer.header);
  return toBinary(MemberListResponseSchema, create(MemberListResponseSchema, { header, members }));
}

export function decodeMemberListResponse(
  bytes: Uint8Array,
): Result<AnswerMessage<MembersMessage>, WireError> {
  try {
    const message = fromBinary(MemberListResponseSchema, bytes);
    const members = message.members.map((member) => ({
      id: member.ID,
      name: member.name,
      peerUrls: member.peerURLs,
      clientUrls: member.clientURLs,
      isLearner: member.isLearner,
    }));
    return ok({ header: fromGeneratedHeader(message.header), result: { members } });
  } catch (error) {
    // As above.
    return err({ code: 'malformed', message: String(error) });
  }
}
