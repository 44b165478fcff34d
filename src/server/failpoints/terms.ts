import { assertNever } from '../../lib/assert.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { parseGoDuration } from '../go-duration.ts';

/**
 * What is set at a failpoint, in gofail's language: terms joined by `->`, each of which may be
 * limited to a share of the hits (`25.0%`) or to a number of them (`3*`). At each hit the first
 * term that its limits allow is carried out.
 */

export type FailpointAction =
  | { readonly type: 'off' }
  | { readonly type: 'return'; readonly value: string | number | boolean | undefined }
  | { readonly type: 'sleep'; readonly delayMs: number }
  | { readonly type: 'panic'; readonly message: string | undefined }
  | { readonly type: 'break' }
  | { readonly type: 'print' };

type Limit =
  | { readonly type: 'share'; readonly percent: number }
  | { readonly type: 'count'; left: number };

interface Term {
  readonly limits: readonly Limit[];
  readonly action: FailpointAction;
}

export class Terms {
  /** As they were given. */
  readonly text: string;
  readonly #terms: readonly Term[];
  #count = 0;

  constructor(text: string, terms: readonly Term[]) {
    this.text = text;
    this.#terms = terms;
  }

  /** Hits at which a term was carried out. */
  get count(): number {
    return this.#count;
  }

  /** What is to be done at this hit. `chance`: uniformly from 0 to 1. */
  next(chance: () => number): FailpointAction | undefined {
    for (const { limits, action } of this.#terms) {
      if (!limits.every((limit) => allows(limit, chance))) continue;
      this.#count += 1;
      return action;
    }
    return undefined;
  }
}

function allows(limit: Limit, chance: () => number): boolean {
  if (limit.type === 'share') return chance() * 100 < limit.percent;
  if (limit.left === 0) return false;
  limit.left -= 1;
  return true;
}

/** Longer ones are a mistake. */
const TERMS_LENGTH_MAX = 4_096;
/** What a timer of this platform can count. */
const SLEEP_MS_MAX = 2 ** 31 - 1;

const TERM =
  /^((?:\d+(?:\.\d*)?%|\d+\*)*)([a-z]+)(?:\((|-?\d+|true|false|"(?:[^"\\]|\\.)*")\))?(->(?=.)|$)/;

/** The error says in one line what is wrong. */
export function parseTerms(text: string): Result<Terms, string> {
  if (text.length > TERMS_LENGTH_MAX) return err(`more than ${TERMS_LENGTH_MAX} characters`);
  const terms: Term[] = [];
  let rest = text;
  do {
    const found = TERM.exec(rest);
    if (found === null) return err(`cannot be read from ${JSON.stringify(rest)} on; ${EXPECTED}`);
    const [whole, limits = '', name = '', argument] = found;
    const action = actionOf(name, argument);
    if (!action.ok) return action;
    terms.push({ limits: limitsOf(limits), action: action.value });
    rest = rest.slice(whole.length);
  } while (rest !== '');
  return ok(new Terms(text, terms));
}

const EXPECTED =
  'expected [25.0%][3*]ACTION joined by "->", with off, return(VALUE), sleep(MS), panic, print or break';

function limitsOf(text: string): readonly Limit[] {
  return [...text.matchAll(/([\d.]+)([%*])/g)].map(([, number, sign]) =>
    sign === '%'
      ? { type: 'share', percent: Number(number) }
      : { type: 'count', left: Number(number) },
  );
}

type Argument = string | number | boolean | undefined;

function actionOf(name: string, text: string | undefined): Result<FailpointAction, string> {
  const argument = argumentOf(text);
  if (!argument.ok) return argument;
  const { value } = argument;
  switch (name) {
    case 'off':
    case 'break':
    case 'print':
      return ok({ type: name });
    case 'return':
      return ok({ type: 'return', value });
    case 'sleep':
      return sleepOf(value);
    case 'panic':
      return ok({ type: 'panic', message: value === undefined ? undefined : String(value) });
    default:
      return err(`there is no action ${JSON.stringify(name)}; ${EXPECTED}`);
  }
}

function argumentOf(text: string | undefined): Result<Argument, string> {
  if (text === undefined || text === '') return ok(undefined);
  if (text === 'true' || text === 'false') return ok(text === 'true');
  if (!text.startsWith('"')) return ok(Number(text));
  try {
    return ok(String(JSON.parse(text)));
  } catch {
    return err(`${text} is no string`);
  }
}

function sleepOf(value: Argument): Result<FailpointAction, string> {
  const delayMs = typeof value === 'string' ? parseGoDuration(value) : value;
  if (typeof delayMs === 'number' && delayMs <= SLEEP_MS_MAX) {
    return ok({ type: 'sleep', delayMs: Math.max(0, delayMs) });
  }
  return err('sleep needs milliseconds, sleep(100), or a duration, sleep("1.5s")');
}

/** `name=terms;name=terms`; the error says in one line what is wrong. */
export function parseAssignments(
  text: string,
): Result<readonly (readonly [string, string])[], string> {
  const found: [string, string][] = [];
  for (const part of text.split(';')) {
    if (part === '') continue;
    const at = part.indexOf('=');
    if (at <= 0) return err(`${JSON.stringify(part)} is not NAME=TERMS`);
    found.push([part.slice(0, at), part.slice(at + 1)]);
  }
  return ok(found);
}

/** What has to be done at once by whoever hits a failpoint. */
export interface FailpointEffects {
  /** Uniformly from 0 to 1. */
  readonly chance: () => number;
  /** Nothing of the process happens for so long. */
  readonly block: (delayMs: number) => void;
  /** Never returns: the process is gone, with nothing flushed or closed. */
  readonly panic: (message: string) => never;
  /** Into a debugger, if one is attached. */
  readonly breakpoint: () => void;
  readonly print: (line: string) => void;
}

/** Carries the action out; a value if it is to return one. */
export function carryOut(
  name: string,
  action: FailpointAction,
  effects: FailpointEffects,
): { readonly value: Argument } | undefined {
  switch (action.type) {
    case 'off':
      return undefined;
    case 'return':
      return { value: action.value };
    case 'sleep':
      effects.block(action.delayMs);
      return undefined;
    case 'panic':
      return effects.panic(`failpoint panic: ${action.message ?? name}`);
    case 'break':
      effects.breakpoint();
      return undefined;
    case 'print':
      effects.print(`failpoint print: ${name}`);
      return undefined;
    default:
      return assertNever(action);
  }
}
