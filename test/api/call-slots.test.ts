import { describe, expect, test } from 'vitest';
import { CallSlots } from '../../src/api/gateway/call-slots.ts';

describe('slots of the gateway', () => {
  test('who comes beyond the limit waits, and goes in by turn', () => {
    const slots = new CallSlots(2);
    const ran: string[] = [];
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => () => void ran.push(name));
    for (const call of [a!, b!, c!, d!]) expect(slots.enter(call)).toBe(true);
    expect(ran).toEqual(['a', 'b']);
    slots.leave(b!);
    expect(ran).toEqual(['a', 'b', 'c']);
    slots.leave(a!);
    expect(ran).toEqual(['a', 'b', 'c', 'd']);
  });

  test('who leaves the queue takes no room', () => {
    const slots = new CallSlots(1);
    const ran: string[] = [];
    const [a, b, c] = ['a', 'b', 'c'].map((name) => () => void ran.push(name));
    for (const call of [a!, b!, c!]) slots.enter(call);
    slots.leave(b!);
    expect(ran).toEqual(['a']);
    slots.leave(a!);
    expect(ran).toEqual(['a', 'c']);
    slots.leave(c!);
    slots.enter(b!);
    expect(ran).toEqual(['a', 'c', 'b']);
  });

  test('the queue ends somewhere', () => {
    const slots = new CallSlots(1);
    let turnedAway = 0;
    for (let n = 0; n < 20_000; n++) if (!slots.enter(() => undefined)) turnedAway += 1;
    expect(turnedAway).toBe(20_000 - 10_001);
  });
});
