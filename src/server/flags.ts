import { CLUSTER_FLAGS, type ClusterFlag } from './flags/cluster-flags.ts';
import type { FlagSpec } from './flags/flag-spec.ts';
import { LIMIT_FLAGS, type LimitFlag } from './flags/limit-flags.ts';
import { MEMBER_FLAGS, type MemberFlag } from './flags/member-flags.ts';
import { OPERATION_FLAGS, type OperationFlag } from './flags/operation-flags.ts';
import { SECURITY_FLAGS, type SecurityFlag } from './flags/security-flags.ts';

/** All flags, with etcd's names. The values of a start stay text until settings are made of them. */

export type FlagName = MemberFlag | ClusterFlag | SecurityFlag | LimitFlag | OperationFlag;

export const FLAGS: Readonly<Record<FlagName, FlagSpec>> = {
  ...MEMBER_FLAGS,
  ...CLUSTER_FLAGS,
  ...SECURITY_FLAGS,
  ...LIMIT_FLAGS,
  ...OPERATION_FLAGS,
};

/** What was given; what was not has the fallback of its {@link FlagSpec}. */
export type FlagValues = Readonly<Partial<Record<FlagName, string>>>;

export function isFlag(name: string): name is FlagName {
  return Object.hasOwn(FLAGS, name);
}

export function helpText(): string {
  const lines = Object.entries(FLAGS).map(([name, { argument, fallback, help }]) => {
    const left = argument === undefined ? `--${name}` : `--${name} ${argument}`;
    return `  ${left.padEnd(48)} ${help}${fallback === '' ? '' : ` (${fallback})`}`;
  });
  return [
    'Usage: stormraft [flags]',
    '',
    'Each flag may also be an environment variable: ETCD_DATA_DIR for --data-dir.',
    '',
    ...lines,
    '',
  ].join('\n');
}
