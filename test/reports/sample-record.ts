import type { CheckResult } from '../../checkers/checker.ts';
import type { Op } from '../../checkers/history/op.ts';
import type { FaultRecord, MemberSeries, RunRecord } from '../../reports/run-record.ts';

/** Records to make reports from: a small run of every validity, and one of any size. */

const SECOND_NS = 1e9;

export function emptyRecord(): RunRecord {
  return {
    title: 'empty',
    validity: 'unknown',
    startedAt: '2026-11-21T12:00:00.000Z',
    plan: {},
    commands: [],
    environment: [],
    checks: [],
    history: [],
    faults: [],
    members: [],
    stormEndNs: 0,
    endNs: 0,
  };
}

/** `operations` writes and reads over `seconds`, a leader change and a fault in the middle. */
export function sampleRecord(options: {
  readonly operations: number;
  readonly seconds: number;
  readonly invalid?: boolean;
}): RunRecord {
  const { operations, seconds } = options;
  const history = historyOf(operations, seconds * SECOND_NS);
  const invalid = options.invalid === true;
  return {
    ...emptyRecord(),
    title: 'a sample',
    validity: invalid ? 'invalid' : 'valid',
    plan: { seed: 7, schedule: [{ kind: 'kill', startMs: 2000 }] },
    commands: [{ what: 'run again', command: 'npm run storm -- run --seed 7' }],
    environment: [{ name: 'backend', value: 'process' }],
    checks: [invalid ? invalidCheck(history) : validCheck()],
    history,
    faults: [fault(seconds)],
    members: ['n1', 'n2', 'n3'].map((node, at) => member(node, at, seconds)),
    stormEndNs: seconds * SECOND_NS * 0.9,
    endNs: seconds * SECOND_NS,
  };
}

function historyOf(operations: number, endNs: number): Op[] {
  const history: Op[] = [];
  for (let at = 0; at < operations; at++) {
    const process = at % 10;
    const node = `n${1 + (at % 3)}`;
    const f = at % 2 === 0 ? 'write' : 'read';
    const value = { key: `k${at % 5}`, value: at };
    const time = Math.round((at / operations) * endNs * 0.9);
    const latencyNs = 1e6 * (1 + (at % 50));
    const type = at % 97 === 0 ? 'info' : at % 31 === 0 ? 'fail' : 'ok';
    const error = type === 'ok' ? {} : { error: 'etcdserver: request timed out' };
    const index = history.length;
    history.push({ index, time, process, type: 'invoke', f, value, node });
    history.push({
      index: index + 1,
      time: time + latencyNs,
      process,
      type,
      f,
      value,
      node,
      ...error,
    });
  }
  return history;
}

function validCheck(): CheckResult {
  return { name: 'register', validity: 'valid', summary: 'linearizable', details: { keys: 5 } };
}

function invalidCheck(history: readonly Op[]): CheckResult {
  const ops = history.slice(40, 44);
  const sentence = 'process 1 read k1 = 3, though it began after process 0 wrote 4 to k1';
  return {
    name: 'register',
    validity: 'invalid',
    summary: 'not linearizable',
    details: { keys: 5 },
    evidence: { sentence, ops, fromIndex: ops[0]!.index, toIndex: ops[3]!.index },
  };
}

function fault(seconds: number): FaultRecord {
  const at = (share: number): number => Math.round(seconds * share * SECOND_NS);
  return {
    kind: 'partition-leader',
    description: 'leader n1 | everyone else',
    nodes: ['n1'],
    injectStartNs: at(0.3),
    injectEndNs: at(0.31),
    healStartNs: at(0.5),
    healEndNs: at(0.51),
    effect: 'observed',
    observation: '4 of 4 cut links swallowed messages',
  };
}

function member(node: string, at: number, seconds: number): MemberSeries {
  const times = Array.from({ length: seconds }, (_, second) => second * SECOND_NS);
  return {
    node,
    status: times.map((timeNs, second) => ({
      timeNs,
      reachable: !(at === 0 && second === 4),
      isLeader: second < seconds / 2 ? at === 0 : at === 1,
      term: second < seconds / 2 ? 2 : 3,
      commitIndex: 10 * second,
      appliedIndex: 10 * second,
    })),
    fsync: times.map((timeNs) => ({ timeNs, count: 100, meanMs: 1.5, p50Ms: 2, p99Ms: 8 })),
  };
}
