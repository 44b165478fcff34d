/** One line of text for everything that goes in or out: golden transcripts, debugging. */
import { assertNever } from '../lib/assert.ts';
import { formatId, type MemberId } from '../lib/ids.ts';
import { utf8Decode } from '../lib/utf8.ts';
import type {
  ConfState,
  Entry,
  Fact,
  HardState,
  Message,
  Outputs,
  SnapshotMeta,
  StorageAppend,
} from './message.ts';
import type { RaftStatus } from './raw-node.ts';

/** Data is shown as text up to this many characters. */
const SHOWN_CHARACTERS_MAX = 24;

export function describeMessage(message: Message): string {
  const { from, to, term, type } = message;
  const head = `${formatId(from)}→${formatId(to)} ${type} term:${term}`;
  const body = describeBody(message);
  return body === '' ? head : `${head} ${body}`;
}

function describeBody(message: Message): string {
  switch (message.type) {
    case 'MsgProp':
      return `[${message.entries.map(describeData).join(', ')}]`;
    case 'MsgApp': {
      const { index, logTerm, entries, commit } = message;
      return `after:${logTerm}/${index} commit:${commit} [${entries.map(describeEntry).join(', ')}]`;
    }
    case 'MsgAppResp': {
      const { index, reject, rejectHint, logTerm } = message;
      return reject ? `rejected:${index} hint:${logTerm}/${rejectHint}` : `index:${index}`;
    }
    case 'MsgVote':
    case 'MsgPreVote': {
      const { index, logTerm, transfer } = message;
      return `last:${logTerm}/${index}${transfer ? ' transfer' : ''}`;
    }
    case 'MsgVoteResp':
    case 'MsgPreVoteResp':
      return message.reject ? 'rejected' : 'granted';
    case 'MsgHeartbeat':
      return `commit:${message.commit}${describeContext(message.context)}`;
    case 'MsgHeartbeatResp':
      return describeContext(message.context).trim();
    case 'MsgSnap':
      return describeSnapshot(message.snapshot);
    case 'MsgReadIndex':
      return `context:${message.context}`;
    case 'MsgReadIndexResp':
      return `context:${message.context} index:${message.index}`;
    case 'MsgTimeoutNow':
      return '';
    case 'MsgTransferLeader':
      return `to:${formatId(message.transferee)}`;
    case 'MsgStorageAppendResp': {
      const { index, logTerm, snapshot } = message;
      const installed = snapshot === undefined ? '' : ` ${describeSnapshot(snapshot)}`;
      return `durable:${logTerm}/${index}${installed}`;
    }
    default:
      return assertNever(message);
  }
}

function describeContext(context: number): string {
  return context === 0 ? '' : ` context:${context}`;
}

/** term/index and what it holds. */
export function describeEntry(entry: Entry): string {
  return `${entry.term}/${entry.index} ${describeData(entry)}`;
}

function describeData({ type, data }: Pick<Entry, 'type' | 'data'>): string {
  const text = utf8Decode(data.slice(0, SHOWN_CHARACTERS_MAX));
  const shown = data.length > SHOWN_CHARACTERS_MAX ? `${text}…(${data.length} bytes)` : text;
  if (type === 'normal') return `"${shown}"`;
  return type === 'confChange' ? `conf(${shown})` : `conf2(${shown})`;
}

export function describeSnapshot({ index, term, confState }: SnapshotMeta): string {
  return `snapshot:${term}/${index} ${describeConf(confState)}`;
}

/** `(1 2 | 3)`: voters and learners; joint: `(1 2 & 2 4 | 3; later 4; auto)`. */
export function describeConf(conf: ConfState): string {
  const list = (ids: readonly MemberId[]): string => ids.map(formatId).join(' ');
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = conf;
  const outgoing = votersOutgoing.length === 0 ? '' : ` & ${list(votersOutgoing)}`;
  const fed = learners.length === 0 ? '' : ` | ${list(learners)}`;
  const later = learnersNext.length === 0 ? '' : `; later ${list(learnersNext)}`;
  return `(${list(voters)}${outgoing}${fed}${later}${autoLeave ? '; auto' : ''})`;
}

function describeHardState({ term, vote, commit }: HardState): string {
  return `term:${term} vote:${describeMember(vote)} commit:${commit}`;
}

function describeMember(id: MemberId | undefined): string {
  return id === undefined ? 'none' : formatId(id);
}

export function describeFact(fact: Fact): string {
  const { type, term } = fact;
  switch (fact.type) {
    case 'becameFollower':
    case 'leaderChanged':
      return `${type} term:${term} leader:${describeMember(fact.leader)}`;
    case 'becamePreCandidate':
    case 'becameCandidate':
    case 'becameLeader':
      return `${type} term:${term}`;
    case 'voteCast': {
      const outcome = fact.granted ? 'granted' : 'refused';
      return `${fact.kind} term:${term} of ${formatId(fact.candidate)} ${outcome}: ${fact.reason}`;
    }
    case 'steppedDown':
      return `${type} term:${term}: ${fact.reason}`;
    case 'transferStarted':
    case 'transferAborted':
      return `${type} term:${term} to:${formatId(fact.transferee)}`;
    case 'confChangeRefused':
      return `${type} term:${term} peer:${formatId(fact.peer)}: ${fact.reason}`;
    case 'lostEntries': {
      const { peer, acknowledged, lastIndex } = fact;
      const lost = `acknowledged through ${acknowledged}, log ends at ${lastIndex}`;
      return `unsafe term:${term} peer:${describeMember(peer)}: ${lost}`;
    }
    case 'unsafe':
      return `${type} term:${term} peer:${describeMember(fact.peer)}: ${fact.reason}`;
    default:
      return assertNever(fact);
  }
}

/** One line for each thing to do, in the order of doing. */
export function describeOutputs(outputs: Outputs): readonly string[] {
  const { messages, append, committed, readStates, facts } = outputs;
  return [
    ...facts.map((fact) => `fact ${describeFact(fact)}`),
    ...messages.map((message) => `send ${describeMessage(message)}`),
    ...(append === undefined ? [] : describeAppend(append)),
    ...committed.map((entry) => `apply ${describeEntry(entry)}`),
    ...readStates.map(({ context, index }) => `read context:${context} index:${index}`),
  ];
}

export function describeAppend(append: StorageAppend): readonly string[] {
  const { entries, hardState, snapshot, responses } = append;
  const parts = [
    ...(snapshot === undefined ? [] : [describeSnapshot(snapshot)]),
    ...(entries.length === 0 ? [] : [`[${entries.map(describeEntry).join(', ')}]`]),
    ...(hardState === undefined ? [] : [describeHardState(hardState)]),
  ];
  const what = parts.length === 0 ? 'nothing new' : parts.join(' ');
  return [`write ${what}`, ...responses.map((response) => `  then ${describeMessage(response)}`)];
}

export function describeStatus(status: RaftStatus): readonly string[] {
  const { id, role, term, vote, leader, conf } = status;
  const { commit, applied, stable, lastIndex } = status;
  const head = `${formatId(id)} ${role} term:${term} vote:${describeMember(vote)}`;
  const log = `commit:${commit} applied:${applied} stable:${stable} last:${lastIndex}`;
  return [
    `${head} leader:${describeMember(leader)} ${log} ${describeConf(conf)}`,
    ...status.progress.map(
      ({ id: peer, state, isLearner, match, next, recentActive, paused }) =>
        `  ${formatId(peer)}${isLearner ? ' learner' : ''} ${state} match:${match} next:${next}` +
        `${paused ? ' paused' : ''}${recentActive ? '' : ' inactive'}`,
    ),
  ];
}
