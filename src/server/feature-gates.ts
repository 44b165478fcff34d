import type { FlagValues } from './flags.ts';
import { listOf, parseSwitch } from './read-setting.ts';
import { SettingsError } from './settings-error.ts';

/** etcd's feature gates: names that it knows, and what they are without being asked for. */

export interface FeatureGates {
  /** On here, off in etcd 3.6: members that differ should be noticed early. */
  readonly CompactHashCheck: boolean;
  readonly InitialCorruptCheck: boolean;
  readonly LeaseCheckpoint: boolean;
  readonly LeaseCheckpointPersist: boolean;
  readonly SetMemberLocalAddr: boolean;
  readonly StopGRPCServiceOnDefrag: boolean;
  readonly TxnModeWriteWithSharedBuffer: boolean;
}

const FALLBACK: FeatureGates = {
  CompactHashCheck: true,
  InitialCorruptCheck: false,
  LeaseCheckpoint: false,
  LeaseCheckpointPersist: false,
  SetMemberLocalAddr: false,
  StopGRPCServiceOnDefrag: false,
  TxnModeWriteWithSharedBuffer: true,
};

const FIELD = 'feature-gates';

/** Throws SettingsError on a gate that does not exist, or is given with both values. */
export function featureGatesOf(values: FlagValues): FeatureGates {
  const gates: Record<string, boolean> = {};
  for (const part of listOf(values, FIELD)) {
    const [name = '', text = ''] = part.split('=', 2);
    const value = parseSwitch(text);
    if (value === undefined) {
      throw new SettingsError(FIELD, `${JSON.stringify(part)} is not NAME=true or NAME=false`);
    }
    if (!Object.hasOwn(FALLBACK, name)) {
      const known = Object.keys(FALLBACK).join(', ');
      throw new SettingsError(FIELD, `${JSON.stringify(name)} is no gate; there are ${known}`);
    }
    if (gates[name] === !value) {
      throw new SettingsError(FIELD, `${name} is given as true and as false; keep one`);
    }
    gates[name] = value;
  }
  const all = { ...FALLBACK, ...gates };
  if (all.LeaseCheckpointPersist && !all.LeaseCheckpoint) {
    throw new SettingsError(FIELD, 'LeaseCheckpointPersist needs LeaseCheckpoint=true');
  }
  return all;
}
