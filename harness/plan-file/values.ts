/** Types of values in a plan file, and what is said of a value that is of another. */
import { assertNever } from '../../src/lib/assert.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import { parseGrudge } from '../nemesis/grudge-json.ts';

export type Parameter =
  /** A whole number. */
  | { readonly type: 'number'; readonly least: number; readonly most: number }
  | { readonly type: 'boolean' }
  /** One of these, among them perhaps the names of all members. */
  | { readonly type: 'choice'; readonly values: readonly string[] }
  /** A list of so many members, each once. */
  | { readonly type: 'members'; readonly least: number; readonly most: number }
  /** A list of lists of members. */
  | { readonly type: 'sides' }
  | { readonly type: 'grudge' };

/** More sides than this say nothing new. */
const SIDES_MAX = 1_000;

/** `place`: the field, for messages. */
export function checkValue(
  place: string,
  parameter: Parameter,
  value: unknown,
  members: readonly string[],
): Result<undefined, string> {
  const said = `${place}: ${inWords(value)}`;
  switch (parameter.type) {
    case 'number': {
      const { least, most } = parameter;
      const isFine = Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
      return isFine ? ok(undefined) : err(`${said}: give a whole number from ${least} to ${most}`);
    }
    case 'boolean':
      return typeof value === 'boolean' ? ok(undefined) : err(`${said}: use true or false`);
    case 'choice': {
      const { values } = parameter;
      if (values.some((each) => each === value)) return ok(undefined);
      const what = values.some((each) => members.includes(each)) ? 'unknown member' : 'unknown';
      return err(`${said}: ${what}; use ${values.join(', ')}`);
    }
    case 'members':
      return checkMembers(place, value, members, parameter);
    case 'sides': {
      if (!Array.isArray(value) || value.length === 0 || value.length > SIDES_MAX) {
        return err(`${said}: give a list of 1 to ${SIDES_MAX} lists of members`);
      }
      for (const [at, side] of value.entries()) {
        const most = { least: 1, most: members.length };
        const checked = checkMembers(`${place}[${at}]`, side, members, most);
        if (!checked.ok) return checked;
      }
      return ok(undefined);
    }
    case 'grudge': {
      const grudge = parseGrudge(place, value, members);
      return grudge.ok ? ok(undefined) : grudge;
    }
    default:
      return assertNever(parameter);
  }
}

function checkMembers(
  place: string,
  value: unknown,
  members: readonly string[],
  { least, most }: { readonly least: number; readonly most: number },
): Result<undefined, string> {
  const count = least === most ? `${most}` : `${least} to ${most}`;
  const fix = `give a list of ${count} of ${members.join(', ')}`;
  if (!Array.isArray(value)) return err(`${place}: ${inWords(value)}: ${fix}`);
  for (const [at, name] of value.entries()) {
    const said = `${place}[${at}]: ${inWords(name)}`;
    if (!members.includes(name)) return err(`${said}: unknown member; use ${members.join(', ')}`);
    if (value.indexOf(name) < at) return err(`${said}: given twice; leave one out`);
  }
  if (value.length >= least && value.length <= most) return ok(undefined);
  return err(`${place}: ${value.length} members: ${fix}`);
}

/** Short, and on one line. */
export function inWords(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 60);
}
