import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Wal } from '../../../src/wal/wal.ts';
import { smallRandom } from '../../support/small-random.ts';
import { entries, entry, METADATA, walOptions } from '../../wal/wal-fixture.ts';
import { Machine } from './sim-disk-fixture.ts';

const SMALL = { segmentBytesMax: 2048 };

test('the log on a simulated disk keeps what it acknowledged, whatever kills it', async () => {
  let survived = 0;
  const life = fc.record({
    aliveUs: fc.integer({ min: 1, max: 40_000 }),
    appends: fc.integer({ min: 1, max: 12 }),
    powerFails: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(life, { minLength: 1, maxLength: 5 }),
      async (seed, lives) => {
        const random = smallRandom(seed);
        const node = new Machine();
        const created = await node.finished(Wal.create(walOptions(node.start(), SMALL), METADATA));
        await node.finished(created.close());
        let acknowledged = 0;
        for (const { aliveUs, appends, powerFails } of lives) {
          const disk = node.start();
          const log = await node.finished(Wal.open(walOptions(disk, SMALL)));
          if (!log.ok) throw new Error(JSON.stringify(log.error));
          const { wal, recovered } = log.value;
          const found = recovered.entries.length;
          expect(recovered.entries).toEqual(entries(1, found));
          expect(found).toBeGreaterThanOrEqual(acknowledged);
          acknowledged = found;
          for (let index = found + 1; index <= found + appends; index++) {
            const note = () => {
              acknowledged = Math.max(acknowledged, index);
            };
            void wal.append({ entries: [entry(index)], hardState: undefined }).then(note);
            if (index % 3 === 0) await node.pass(node.nowNs + 700_000);
          }
          await node.pass(node.nowNs + aliveUs * 1000);
          node.kill();
          disk.abandon(random);
          if (powerFails) node.device.powerLoss(random);
          else node.device.processKill();
          survived += acknowledged - found;
        }
      },
    ),
    { seed: 20_260_801, numRuns: 150 },
  );
  expect(survived).toBeGreaterThan(500);
});

test('a lying disk loses what the log acknowledged', async () => {
  const node = new Machine();
  const wal = await node.finished(Wal.create(walOptions(node.start(), SMALL), METADATA));
  await node.finished(wal.append({ entries: entries(1, 2), hardState: undefined }));
  node.faults.set({ type: 'lie' });
  await node.finished(wal.append({ entries: entries(3, 4), hardState: undefined }));
  node.kill();
  // No sector survives.
  node.device.powerLoss({ below: (bound) => bound - 1 });
  const log = await node.finished(Wal.open(walOptions(node.start(), SMALL)));
  expect(log).toMatchObject({ ok: true, value: { recovered: { entries: entries(1, 2) } } });
});
