/** The exact commands that do a run, or a part of it, once more. */
import { relative } from 'node:path';
import type { FaultKind } from './nemesis/fault.ts';
import { DEFAULT_FAULT_KINDS } from './nemesis/packages.ts';
import { RUN_DEFAULTS } from './options.ts';
import type { Plan } from './plan.ts';

const STORM = 'npm run storm --';

/** `storm run` with every option that differs from its default, the seed always. */
export function runAgainCommand(plan: Plan): string {
  const words = [STORM, 'run', '--seed', String(plan.seed), '--cluster', plan.backend];
  const add = (flag: string, value: number, defaultValue: number): void => {
    if (value !== defaultValue) words.push(flag, String(value));
  };
  add('--time-limit', plan.timeLimitMs / 1000, RUN_DEFAULTS.timeLimitSeconds);
  add('--members', plan.memberCount, RUN_DEFAULTS.members);
  add('--concurrency', plan.concurrency, RUN_DEFAULTS.concurrency);
  add('--rate', plan.ratePerSecond, RUN_DEFAULTS.rate);
  add('--heartbeat-interval', plan.heartbeatMs, RUN_DEFAULTS.heartbeatMs);
  add('--election-timeout', plan.electionMs, RUN_DEFAULTS.electionMs);
  if (plan.planFile !== undefined) {
    words.push('--plan', plan.planFile);
  } else if (!sameKinds(plan.faults, DEFAULT_FAULT_KINDS)) {
    words.push('--faults', faultList(plan.faults));
  }
  if (plan.wan !== undefined) words.push('--wan', plan.wan);
  if (plan.disk !== undefined) words.push('--disk', plan.disk);
  if (plan.tls === true) words.push('--tls');
  for (const kind of plan.requiredFaults) words.push('--require', kind);
  if (plan.target.kind === 'etcd') {
    words.push('--target', `etcd:${plan.target.image ?? plan.target.path}`);
  }
  if (plan.target.kind === 'stormraft' && plan.target.root !== RUN_DEFAULTS.root)
    words.push('--server', plan.target.root);
  return words.map(quote).join(' ');
}

/** npm runs its scripts in the root of the repository; a directory in it is named from there. */
export function checkAgainCommand(directory: string): string {
  const fromRoot = relative(RUN_DEFAULTS.root, directory);
  return `${STORM} check ${quote(fromRoot.startsWith('..') ? directory : fromRoot)}`;
}

function sameKinds(some: readonly FaultKind[], others: readonly FaultKind[]): boolean {
  return some.length === others.length && some.every((kind) => others.includes(kind));
}

function faultList(kinds: readonly FaultKind[]): string {
  return kinds.length === 0 ? 'none' : kinds.join(',');
}

/** For a POSIX shell. */
function quote(word: string): string {
  if (word === STORM || /^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}
