import { describe, expect, test } from 'vitest';
import { linksCutBy } from '../../harness/scope/timeline/fault-windows.ts';

const NAMES = ['n1', 'n2', 'n3', 'n4', 'n5'];

function cut(kind: string, nodes: readonly string[], description = ''): string[] {
  return linksCutBy({ kind, nodes, description }, NAMES).map(({ from, to }) => `${from}${to}`);
}

describe('the links that a fault cuts, from what the nemesis says of it', () => {
  test('one member and everyone else, both ways', () => {
    const links = cut('partition-leader', ['n2']);
    expect(links.length).toBe(8);
    expect(links.every((link) => link.includes('n2'))).toBe(true);
  });

  test('two sides', () => {
    const links = cut('partition-halves', ['n1', 'n2']);
    expect(links.length).toBe(12);
    expect(links).not.toContain('n1n2');
    expect(links).not.toContain('n4n5');
  });

  test('one direction only, by the words', () => {
    expect(cut('partition-one-way', ['n3'], 'messages to n3 dropped').sort()).toEqual([
      'n1n3',
      'n2n3',
      'n4n3',
      'n5n3',
    ]);
    expect(cut('partition-one-way', ['n3'], 'messages from n3 dropped').sort()).toEqual([
      'n3n1',
      'n3n2',
      'n3n4',
      'n3n5',
    ]);
  });

  test('a ring of majorities keeps neighbours, a bridge its middle', () => {
    const ring = cut('partition-ring', NAMES);
    expect(ring).toContain('n1n3');
    expect(ring).not.toContain('n1n2');
    const bridge = linksCutBy(
      { kind: 'partition-ring', nodes: ['n2', 'n1', 'n3'], description: '' },
      ['n1', 'n2', 'n3'],
    );
    expect(bridge.map(({ from, to }) => `${from}${to}`).sort()).toEqual(['n1n3', 'n3n1']);
  });

  test('no links for what is no partition', () => {
    expect(cut('kill', ['n1'])).toEqual([]);
  });
});
