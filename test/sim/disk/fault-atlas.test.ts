import { describe, expect, test } from 'vitest';
import { FaultAtlas } from '../../../harness/sim/disk/fault-atlas.ts';

describe('the fault atlas', () => {
  test.each([
    [1, 0],
    [2, 0],
    [3, 1],
    [4, 1],
    [5, 2],
    [7, 3],
  ])('of %i members lets %i copies be destroyed', (memberCount, destroyableMax) => {
    const atlas = new FaultAtlas(memberCount, { allowsAll: false });
    const destroyed: string[] = [];
    for (let i = 1; i <= memberCount; i++) {
      if (!atlas.mayDestroy(`n${i}`)) continue;
      atlas.noteDestroyed(`n${i}`);
      destroyed.push(`n${i}`);
    }
    expect(destroyed.length).toBe(destroyableMax);
    expect([...atlas.destroyed]).toEqual(destroyed);
    expect(atlas.mayLie).toBe(false);
  });

  test('destroys no copy twice', () => {
    const atlas = new FaultAtlas(5, { allowsAll: false });
    atlas.noteDestroyed('n2');
    expect(atlas.mayDestroy('n2')).toBe(false);
    expect(atlas.mayDestroy('n3')).toBe(true);
  });

  test('will not have it noted that more were destroyed than it allows', () => {
    const atlas = new FaultAtlas(3, { allowsAll: false });
    atlas.noteDestroyed('n1');
    expect(() => atlas.noteDestroyed('n2')).toThrow('n2');
    expect([...atlas.destroyed]).toEqual(['n1']);
  });

  test('allows everything when told to', () => {
    const atlas = new FaultAtlas(3, { allowsAll: true });
    for (const node of ['n1', 'n2', 'n3', 'n3']) {
      expect(atlas.mayDestroy(node)).toBe(true);
      atlas.noteDestroyed(node);
    }
    expect(atlas.destroyed.size).toBe(3);
    expect(atlas.mayLie).toBe(true);
  });
});
