import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Model, type ModelRow } from '../../harness/sim/oracle/kv-model.ts';
import { assertNever } from '../../src/lib/assert.ts';
import { utf8Decode } from '../../src/lib/utf8.ts';
import { Store, type StoreImage } from '../../src/mvcc/store.ts';
import { isReadOnly } from '../../src/mvcc/txn.ts';
import { type Action, action, txn } from './arbitrary.ts';

const SEED = 20260401;

describe('the store and the model', () => {
  test('give the same answers to any sequence of requests', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 1, maxLength: 60, size: 'max' }), (actions) => {
        const model = new Model();
        let store = new Store();
        for (const step of actions) {
          if (step.type === 'restart') {
            store = Store.restore(imageState(store.image()));
          } else {
            expect(perform(store, step)).toEqual(perform(model, step));
          }
          expectSame(store, model);
        }
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test('a refused transaction leaves no trace', () => {
    const setUp = fc.array(action, { maxLength: 15, size: 'max' });
    fc.assert(
      fc.property(setUp, txn, (actions, request) => {
        const store = new Store();
        for (const step of actions) if (step.type !== 'restart') perform(store, step);
        const before = rows(store.image());
        const revision = store.revision;
        fc.pre(!store.txn(request).ok);
        expect(rows(store.image())).toEqual(before);
        expect(store.revision).toBe(revision);
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  test('an image stays as it was while writes and compactions go on', () => {
    const history = fc.array(action, { maxLength: 25, size: 'max' });
    fc.assert(
      fc.property(history, history, (earlier, later) => {
        const model = new Model();
        const store = new Store();
        for (const step of earlier) performOnBoth(store, model, step);
        const image = store.image();
        const before = rows(image);
        expect(before).toEqual(model.retained());
        for (const step of later) performOnBoth(store, new Model(), step);
        expect(rows(image)).toEqual(before);
        const restored = Store.restore(imageState(image));
        expectSame(restored, model);
        image.release();
      }),
      { seed: SEED, numRuns: 200 },
    );
  });
});

function perform(on: Store | Model, step: Exclude<Action, { type: 'restart' }>): unknown {
  switch (step.type) {
    case 'range':
      return on.range(step.request);
    case 'put':
      return on.put(step.request);
    case 'deleteRange':
      return on.deleteRange(step.request);
    case 'txn':
      return on instanceof Store && isReadOnly(step.request)
        ? on.readTxn(step.request)
        : on.txn(step.request);
    case 'compact':
      return on.compact(step.revision);
    default:
      return assertNever(step);
  }
}

function performOnBoth(store: Store, model: Model, step: Action): void {
  if (step.type === 'restart') return;
  perform(store, step);
  perform(model, step);
}

function expectSame(store: Store, model: Model): void {
  expect(store.revision).toBe(model.revision);
  expect(store.compactRevision).toBe(model.compactRevision);
  expect(store.keyCount).toBe(model.liveKeys());
  expect(rows(store.image())).toEqual(model.retained());
}

function imageState(image: StoreImage) {
  return { compactRevision: image.compactRevision, revisions: image.revisions() };
}

function rows(image: StoreImage): ModelRow[] {
  return [...image.revisions()].map(({ main, sub, tombstone, keyValue }) => ({
    main,
    sub,
    key: utf8Decode(keyValue.key),
    tombstone,
  }));
}
