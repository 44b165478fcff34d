/**
 * Members far apart: round trips between places, from `wan-profiles.json`. The figures are of the
 * size that networks between such places have; they are no measurement of anybody's.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { err, ok, type Result } from '../../src/lib/result.ts';
import {
  type DelayDistribution,
  type DirectedQuality,
  GOOD_LINKS,
  type LinkQuality,
} from './link-quality.ts';
import { linksAmong } from './link-settings.ts';

export interface WanProfile {
  readonly about: string;
  readonly places: readonly string[];
  /** Of a link's delay. */
  readonly jitterPercent: number;
  readonly distribution: DelayDistribution;
  /** A row and a column for each place; symmetric. The diagonal is within a place. */
  readonly rttMs: readonly (readonly number[])[];
}

/** All profiles by name. */
export function wanProfiles(): Readonly<Record<string, WanProfile>> {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'wan-profiles.json'), 'utf8'));
}

/**
 * The links between members that are dealt to the profile's places in turn: half a round trip each
 * way. For `Cluster.setLinkDistances`. In one line which name is unknown, and which are known.
 */
export function wanProfile(
  name: string,
  members: readonly string[],
): Result<readonly DirectedQuality[], string> {
  const profiles = wanProfiles();
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile === undefined) {
    return err(`${name}: unknown; use ${Object.keys(profiles).join(', ')}`);
  }
  const placeOf = (member: string): number => members.indexOf(member) % profile.places.length;
  return ok(
    linksAmong(members).map(({ from, to }) => ({
      from,
      to,
      quality: qualityOf(profile, profile.rttMs[placeOf(from)]![placeOf(to)]!),
    })),
  );
}

/** Where each member is: `n1 us-east, n2 eu-west`. */
export function describePlaces(name: string, members: readonly string[]): string {
  const places = wanProfiles()[name]?.places ?? [];
  return members.map((member, at) => `${member} ${places[at % places.length]}`).join(', ');
}

function qualityOf({ jitterPercent, distribution }: WanProfile, rttMs: number): LinkQuality {
  const delayMs = rttMs / 2;
  return { ...GOOD_LINKS, delayMs, jitterMs: (delayMs * jitterPercent) / 100, distribution };
}
