/**
 * A grudge as people write it: `{"n1": ["n2", "n3"]}` drops at n1 what n2 and n3 send to it. Whose
 * name is left out drops nothing.
 */
import { err, ok, type Result } from '../../src/lib/result.ts';
import type { Grudge } from '../cluster/cluster.ts';

export type GrudgeJson = Readonly<Record<string, readonly string[]>>;

/** The grudge in a piece of JSON; otherwise in one line which field is wrong, and what may stand there. */
export function parseGrudge(
  field: string,
  value: unknown,
  members: readonly string[],
): Result<Grudge, string> {
  const allowed = `use ${members.join(', ')}`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return err(`${field}: give an object from members to lists of members; ${allowed}`);
  }
  const grudge = new Map<string, ReadonlySet<string>>();
  for (const [to, sources] of Object.entries(value)) {
    if (!members.includes(to)) return err(`${field}.${to}: unknown member; ${allowed}`);
    if (!Array.isArray(sources)) return err(`${field}.${to}: give a list of members; ${allowed}`);
    for (const [at, from] of sources.entries()) {
      const place = `${field}.${to}[${at}]: ${JSON.stringify(from)}`;
      if (!members.includes(from)) return err(`${place}: unknown member; ${allowed}`);
      if (from === to) return err(`${place}: a member always hears itself; leave it out`);
    }
    if (sources.length > 0) grudge.set(to, new Set(sources));
  }
  if (grudge.size === 0 && members.length > 1) {
    return err(`${field}: cuts nothing; name at least one link`);
  }
  return ok(grudge);
}
