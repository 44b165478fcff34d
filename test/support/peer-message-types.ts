import type { Message } from '../../src/raft/message.ts';

type PeerMessageType = Exclude<Message, { type: 'MsgStorageAppendResp' }>['type'];

/** Of the messages that leave their member. */
export const PEER_MESSAGE_TYPES: readonly PeerMessageType[] = [
  'MsgProp',
  'MsgApp',
  'MsgAppResp',
  'MsgVote',
  'MsgPreVote',
  'MsgVoteResp',
  'MsgPreVoteResp',
  'MsgHeartbeat',
  'MsgHeartbeatResp',
  'MsgSnap',
  'MsgReadIndex',
  'MsgReadIndexResp',
  'MsgTimeoutNow',
  'MsgTransferLeader',
];
