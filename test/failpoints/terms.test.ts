/** gofail's language, read and carried out without a process that dies of it. */
import { describe, expect, test } from 'vitest';
import { FAILPOINT_NAMES } from '../../src/ports/failpoints.ts';
import { FailpointRegistry } from '../../src/server/failpoints/registry.ts';
import { type FailpointEffects, parseTerms } from '../../src/server/failpoints/terms.ts';

class Panicked extends Error {}

/** Remembers what was done. */
function kept(chances: readonly number[] = []): { done: string[]; registry: FailpointRegistry } {
  const done: string[] = [];
  const left = [...chances];
  const effects: FailpointEffects = {
    chance: () => left.shift() ?? 0,
    block: (delayMs) => void done.push(`block ${delayMs}`),
    panic: (message) => {
      throw new Panicked(message);
    },
    breakpoint: () => void done.push('break'),
    print: (line) => void done.push(line),
  };
  return { done, registry: new FailpointRegistry(effects) };
}

const POINT = 'raftBeforeSave';

describe('terms', () => {
  test.each([
    'off',
    'panic',
    'panic("why")',
    'sleep(10)',
    'sleep("1.5s")',
    'return',
    'return()',
    'return(-3)',
    'return(true)',
    'return("a -> b (c)")',
    '3*print->off',
    '25.0%2*sleep(1)->50%break->panic',
  ])('%s can be read', (text) => {
    const parsed = parseTerms(text);
    expect(parsed.ok && parsed.value.text).toBe(text);
  });

  test.each([
    ['', 'cannot be read from ""'],
    ['boom', 'there is no action "boom"'],
    ['sleep', 'sleep needs milliseconds'],
    ['sleep("soon")', 'sleep needs milliseconds'],
    ['sleep(99999999999)', 'sleep needs milliseconds'],
    ['sleep(1', 'cannot be read from "sleep(1"'],
    ['sleep(1)->', 'cannot be read from "sleep(1)->"'],
    ['panic;off', 'cannot be read from "panic;off"'],
    ['3panic', 'cannot be read from "3panic"'],
    ['return("\\q")', 'is no string'],
    ['off->'.repeat(1_000).concat('off'), 'more than 4096 characters'],
  ])('%s is refused in one line', (text, problem) => {
    const parsed = parseTerms(text);
    expect(parsed.ok).toBe(false);
    if (parsed.ok) return;
    expect(parsed.error).toContain(problem);
    expect(parsed.error).not.toContain('\n');
  });

  test('each does what it says', () => {
    const { done, registry } = kept();
    const hitWith = (terms: string): unknown => {
      expect(registry.enable(POINT, terms).ok).toBe(true);
      return registry.hit(POINT);
    };
    expect(registry.hit(POINT)).toBe(undefined);
    expect(hitWith('sleep(10)')).toBe(undefined);
    expect(hitWith('sleep("-1s")')).toBe(undefined);
    expect(hitWith('print')).toBe(undefined);
    expect(hitWith('break')).toBe(undefined);
    expect(hitWith('off')).toBe(undefined);
    expect(done).toEqual(['block 10', 'block 0', `failpoint print: ${POINT}`, 'break']);
    expect(hitWith('return')).toEqual({ value: undefined });
    expect(hitWith('return("x")')).toEqual({ value: 'x' });
    expect(hitWith('return(7)')).toEqual({ value: 7 });
    expect(() => hitWith('panic')).toThrow(`failpoint panic: ${POINT}`);
    expect(() => hitWith('panic("why")')).toThrow('failpoint panic: why');
  });

  test('limits: a number of hits, a share of them, then the next term', () => {
    const { registry } = kept([0.4, 0.6, 0.4]);
    registry.enable(POINT, '2*return(1)->50.0%return(2)->return(3)');
    const values = Array.from({ length: 5 }, () => registry.hit(POINT)?.value);
    expect(values).toEqual([1, 1, 2, 3, 2]);
    expect(registry.status(POINT)).toMatchObject({ value: { count: 5 } });
    registry.enable(POINT, '1*off');
    for (let hits = 0; hits < 3; hits++) expect(registry.hit(POINT)).toBe(undefined);
    expect(registry.status(POINT)).toMatchObject({ value: { count: 1 } });
  });
});

describe('registry', () => {
  test('lists all names, in order, with what is set', () => {
    const { registry } = kept();
    expect([...FAILPOINT_NAMES].sort()).toEqual(FAILPOINT_NAMES);
    registry.enable(POINT, 'print');
    expect(registry.list().map(([name]) => name)).toEqual(FAILPOINT_NAMES);
    expect(registry.list().filter(([, terms]) => terms !== '')).toEqual([[POINT, 'print']]);
    expect(registry.isSet(POINT)).toBe(true);
    expect(registry.disable(POINT).ok).toBe(true);
    expect(registry.isSet(POINT)).toBe(false);
    expect(registry.disable(POINT)).toMatchObject({ error: { kind: 'disabled' } });
  });

  test('several are set together or not at all', () => {
    const { registry } = kept();
    const bad = registry.enableAssigned('raftAfterSave=print;walAfterSync=boom');
    expect(bad).toMatchObject({ ok: false, error: { kind: 'bad terms' } });
    expect(registry.enableAssigned('raftAfterSave')).toMatchObject({ ok: false });
    const unknown = registry.enableAssigned('raftAfterSave=print;nix=off');
    expect(unknown).toMatchObject({ ok: false, error: { kind: 'unknown' } });
    expect(registry.isSet('raftAfterSave')).toBe(false);
    expect(registry.enableAssigned(';raftAfterSave=print;walAfterSync=return("=")').ok).toBe(true);
    expect(registry.isSet('raftAfterSave')).toBe(true);
    expect(registry.hit('walAfterSync')).toEqual({ value: '=' });
  });
});
