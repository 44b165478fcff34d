/** Turns what has happened since the last turn into one value for the caller to carry out. */
import { assert } from '../lib/assert.ts';
import type { RaftCore } from './core.ts';
import { leaveJointWhenDue } from './leader.ts';
import type { Fact, HardState, Message, Outputs, ReadState, StorageAppend } from './message.ts';
import { sendAppends } from './replication.ts';

/** While entries are written, each write tells of the commit before. */
const COMMIT_REST_TICKS = 2;
const NO_MESSAGES: readonly Message[] = [];
const NO_READ_STATES: readonly ReadState[] = [];
const NO_FACTS: readonly Fact[] = [];

/** Undefined if there is nothing to do; `commitAlone` as in RawNode. */
export function takeOutputs(core: RaftCore, commitAlone: boolean): Outputs | undefined {
  if (core.role.type === 'leader') {
    leaveJointWhenDue(core, core.role);
    sendAppends(core, core.role, { commitAlone });
    core.role.reads.close();
  }
  const append = takeAppend(core);
  const committed = core.log.takeCommitted(core.config.maxCommittedBytesPerTurn);
  const { messages, readStates, facts } = core;
  const quiet = messages.length + readStates.length + facts.length + committed.length === 0;
  if (quiet && append === undefined) return undefined;
  assert(core.log.handed === core.log.lastIndex, 'outputs: entries kept from storage');
  assert(core.responses.length === 0, 'outputs: responses left behind');
  if (messages.length > 0) core.messages = [];
  if (readStates.length > 0) core.readStates = [];
  if (facts.length > 0) core.facts = [];
  return {
    messages: messages.length > 0 ? messages : NO_MESSAGES,
    append,
    committed,
    readStates: readStates.length > 0 ? readStates : NO_READ_STATES,
    facts: facts.length > 0 ? facts : NO_FACTS,
  };
}

function takeAppend(core: RaftCore): StorageAppend | undefined {
  const { log, responses } = core;
  const { entries, snapshot } = log.takeUnhanded();
  const writes = entries.length > 0 || snapshot !== undefined;
  const hardState = takeHardState(core, { piggyback: writes });
  if (!writes && hardState === undefined && responses.length === 0) return undefined;
  core.responses = [];
  // Every write answers for the whole log, so the answer lost to a change of term is made good.
  if (log.stable < log.lastIndex || snapshot !== undefined) {
    responses.push({
      type: 'MsgStorageAppendResp',
      from: core.id,
      to: core.id,
      term: core.term,
      index: log.lastIndex,
      logTerm: log.lastTerm,
      snapshot,
    });
  }
  assert(log.stable === log.lastIndex || responses.length > 0, 'outputs: a write without answer');
  return { entries, hardState, snapshot, responses };
}

/**
 * Term and vote as soon as they change. The commit index alone only saves replay at a restart,
 * so it travels with other writes, or by itself when there have been none for a tick or two.
 */
function takeHardState(
  core: RaftCore,
  { piggyback }: { piggyback: boolean },
): HardState | undefined {
  const handed = core.handedHardState;
  const { term, vote } = core;
  const { commit } = core.log;
  assert(term >= handed.term, 'outputs: the term went back');
  assert(term > handed.term || handed.vote === undefined || vote === handed.vote, 'vote changed');
  const binding = term !== handed.term || vote !== handed.vote;
  if (!binding && (commit === handed.commit || !(piggyback || isCommitDue(core)))) {
    return undefined;
  }
  core.commitWrittenTick = core.ticks;
  core.handedHardState = { term, vote, commit };
  return core.handedHardState;
}

function isCommitDue(core: RaftCore): boolean {
  return core.ticks - core.commitWrittenTick >= COMMIT_REST_TICKS;
}
