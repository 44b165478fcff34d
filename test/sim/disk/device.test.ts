import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Device } from '../../../harness/sim/disk/device.ts';
import { DiskError } from '../../../src/ports/disk.ts';
import { smallRandom } from '../../support/small-random.ts';
import { NaiveDevice } from './naive-device.ts';

const DIRECTORY = 'data/wal';
const NAMES = ['a', 'b', 'c'] as const;

type Step =
  | FileStep
  | { readonly type: 'create'; readonly name: string }
  | { readonly type: 'syncDirectory' | 'markDirectory' | 'syncDirectoryMarked' }
  | { readonly type: 'powerLoss'; readonly seed: number }
  | { readonly type: 'processKill' };

type FileStep =
  | { readonly type: 'remove' | 'sync' | 'mark' | 'syncMarked'; readonly name: string }
  | { readonly type: 'rename'; readonly name: string; readonly to: string }
  | { readonly type: 'write' | 'damage'; readonly name: string; at: number; bytes: Uint8Array }
  | { readonly type: 'truncate'; readonly name: string; readonly at: number };

const name = fc.constantFrom(...NAMES);
const at = fc.oneof(fc.nat(40), fc.nat(3000));
const bytes = fc
  .tuple(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 2000 })), fc.nat(250))
  .map(([length, fill]) => Uint8Array.from({ length }, (_, i) => 1 + ((fill + i) % 255)));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('write' as const), name, at, bytes }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('truncate' as const), name, at }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('create' as const), name }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom('sync', 'mark', 'syncMarked'), name }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('remove' as const), name }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('rename' as const), name, to: name }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('damage' as const), name, at, bytes }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom('syncDirectory', 'markDirectory', 'syncDirectoryMarked'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('powerLoss' as const), seed: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('processKill' as const) }) },
);

/** Both models side by side; steps that make no sense at the moment are left out. */
class Pair {
  readonly device = new Device();
  readonly naive = new NaiveDevice();
  readonly #marks = new Map<unknown, number>();

  constructor() {
    this.device.makeDirectory(DIRECTORY);
  }

  take(step: Step): void {
    switch (step.type) {
      case 'create':
        if (this.naive.names.has(step.name)) return;
        this.device.create(path(step.name));
        this.naive.create(step.name);
        return;
      case 'syncDirectory':
        this.device.syncDirectory(DIRECTORY);
        this.naive.sync(this.naive.changes);
        return;
      case 'markDirectory':
        this.#marks.set('device', this.device.directoryChanges(DIRECTORY));
        this.#marks.set('naive', this.naive.changes);
        return;
      case 'syncDirectoryMarked':
        this.device.syncDirectory(DIRECTORY, this.#marks.get('device') ?? 0);
        this.naive.sync(this.#marks.get('naive') ?? 0);
        return;
      case 'powerLoss':
        this.device.powerLoss(smallRandom(step.seed));
        this.naive.powerLoss(smallRandom(step.seed));
        this.#marks.clear();
        return;
      case 'processKill':
        this.device.processKill();
        return;
      default:
        if (this.naive.names.has(step.name)) this.#change(step);
    }
  }

  #change(step: FileStep): void {
    const file = this.device.file(path(step.name));
    const naive = this.naive.names.get(step.name)!;
    switch (step.type) {
      case 'write':
        file.write(step.at, step.bytes);
        naive.changes.push({ type: 'write', offset: step.at, bytes: step.bytes });
        return;
      case 'truncate':
        file.truncate(step.at);
        naive.changes.push({ type: 'truncate', sizeBytes: step.at });
        return;
      case 'sync':
        file.sync();
        naive.sync(naive.changes.length);
        return;
      case 'mark':
        this.#marks.set(file, file.changes);
        this.#marks.set(naive, naive.changes.length);
        return;
      case 'syncMarked':
        file.sync(this.#marks.get(file) ?? 0);
        naive.sync(this.#marks.get(naive) ?? 0);
        return;
      case 'damage':
        file.damage(step.at, step.bytes);
        naive.damage(step.at, step.bytes);
        return;
      case 'rename':
        this.device.rename(path(step.name), path(step.to));
        this.naive.rename(step.name, step.to);
        return;
      case 'remove':
        this.device.remove(path(step.name));
        this.naive.remove(step.name);
        return;
    }
  }

  expectEqual(): void {
    expect(this.device.names(DIRECTORY).sort()).toEqual([...this.naive.names.keys()].sort());
    for (const [name, naive] of this.naive.names) {
      const file = this.device.file(path(name));
      const content = naive.content();
      expect(Buffer.compare(file.read(), content), 'content').toBe(0);
      expect(Buffer.compare(file.durable(), naive.durable()), 'durable content').toBe(0);
      expect(file.sizeBytes).toBe(content.length);
      expect(Buffer.compare(file.read(300, 700), content.subarray(300, 1000)), 'part').toBe(0);
    }
  }
}

test('the device is what whole copies of everything would give', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pair = new Pair();
      for (const name of NAMES) pair.take({ type: 'create', name });
      for (const each of steps) {
        pair.take(each);
        pair.expectEqual();
      }
    }),
    { seed: 20_260_801, numRuns: 1000 },
  );
});

describe('a power failure', () => {
  test('keeps or loses each sector of an un-synced write on its own', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const device = deviceWith('synced');
      device.file(path('a')).write(500, new Uint8Array(600).fill(1));
      device.powerLoss(smallRandom(seed));
      const content = device.file(path('a')).read();
      seen.add([500, 512, 1024].map((offset) => content[offset] ?? '-').join(' '));
      expect(Buffer.from(content.subarray(0, 6)).toString()).toBe('synced');
      expect(new Set(content.subarray(512, 1024)).size).toBeLessThanOrEqual(1);
    }
    expect([...seen].sort()).toEqual([
      '- - -',
      '0 0 1',
      '0 1 -',
      '0 1 1',
      '1 - -',
      '1 0 1',
      '1 1 -',
      '1 1 1',
    ]);
  });

  test('never keeps a later write to a sector without the earlier ones', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 100; seed++) {
      const device = deviceWith('......');
      for (const at of [0, 2, 4]) device.file(path('a')).write(at, Buffer.from('xx'));
      device.powerLoss(smallRandom(seed));
      seen.add(Buffer.from(device.file(path('a')).read()).toString());
    }
    expect([...seen].sort()).toEqual(['......', 'xx....', 'xxxx..', 'xxxxxx']);
  });

  test('leaves a rename whole or undone, and brings a removed file back', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 50; seed++) {
      const device = deviceWith('synced');
      device.create(path('b'));
      device.rename(path('b'), path('a'));
      device.remove(path('a'));
      device.powerLoss(smallRandom(seed));
      const sizes = device
        .names(DIRECTORY)
        .map((name) => [name, device.file(path(name)).sizeBytes]);
      seen.add(JSON.stringify(sizes));
    }
    expect([...seen].sort()).toEqual(['[["a",0]]', '[["a",6],["b",0]]', '[["a",6]]', '[]']);
  });

  test('finds nothing to take after a sync, whether a process died before it or not', () => {
    const device = deviceWith('synced');
    device.file(path('a')).write(0, Buffer.from('SYNC'));
    device.processKill();
    device.file(path('a')).sync();
    device.powerLoss({ below: () => 1 });
    expect(Buffer.from(device.file(path('a')).read()).toString()).toBe('SYNCed');
  });
});

describe('files', () => {
  test('stay usable when their name goes', () => {
    const device = deviceWith('synced');
    const file = device.file(path('a'));
    device.remove(path('a'));
    file.write(6, Buffer.from('!'));
    expect(Buffer.from(file.read()).toString()).toBe('synced!');
    expect(() => device.file(path('a'))).toThrow('ENOENT');
  });

  test('are read as copies', () => {
    const file = deviceWith('synced').file(path('a'));
    file.read().fill(0);
    file.durable().fill(0);
    expect(Buffer.from(file.read()).toString()).toBe('synced');
  });

  test('extended in advance take room only where they are written', () => {
    const file = deviceWith('').file(path('a'));
    file.truncate(2 ** 40);
    file.write(3, Uint8Array.of(1));
    expect([file.sizeBytes, file.writtenBytes]).toEqual([2 ** 40, 4]);
    expect([...file.read(2 ** 40 - 2, 10)]).toEqual([0, 0]);
  });

  test('show zeros, not what was cut off, when they grow again', () => {
    const file = deviceWith('synced').file(path('a'));
    file.truncate(2);
    file.write(5, Buffer.from('!'));
    expect(Buffer.from(file.read()).toString()).toBe('sy\0\0\0!');
  });
});

test('what is not there, or there already, is refused with the code of the real disk', () => {
  const device = deviceWith('synced');
  const codes = [
    () => device.names('nowhere'),
    () => device.create('nowhere/a'),
    () => device.create(path('a')),
    () => device.remove(path('b')),
    () => device.rename(path('b'), path('c')),
    () => device.rename(path('a'), 'data/a'),
  ].map(codeOf);
  expect(codes).toEqual(['ENOENT', 'ENOENT', 'EEXIST', 'ENOENT', 'ENOENT', 'EXDEV']);
});

function deviceWith(content: string): Device {
  const device = new Device();
  device.put(path('a'), Buffer.from(content));
  return device;
}

function codeOf(call: () => unknown): string {
  try {
    call();
    return 'nothing refused';
  } catch (error) {
    return error instanceof DiskError ? error.code : String(error);
  }
}

function path(name: string): string {
  return `${DIRECTORY}/${name}`;
}
