/** What traffic did, and whether that is the fault that was asked for. */

import { describe, expect, test } from 'vitest';
import {
  judgeBandwidth,
  judgeCut,
  judgeDelay,
  judgeLoss,
} from '../../harness/doctor/docker/judge.ts';
import type { Outcome, Sample } from '../../harness/doctor/inside/traffic.ts';

const answers = (medianMs: number): Sample => ({ kind: 'answers', medianMs });
const loss = (share: number): Sample => ({ kind: 'loss', share });
const transfer = (megabytes: number): Sample => ({
  kind: 'transfer',
  bytesPerSecond: megabytes * 1e6,
});
const [silent, reset]: readonly Sample[] = [{ kind: 'silent' }, { kind: 'reset' }] as const;

function outcome(before: Sample, during: Sample, after: Sample): Outcome {
  return { ok: true, before, during, after, injectMs: 5.24, healMs: 18.4 };
}

test('what the kernel refused is why not', () => {
  const refused: Outcome = { ok: false, error: 'Operation not permitted' };
  const judged = [
    judgeCut(refused, 'silent'),
    judgeDelay(refused, 50),
    judgeLoss(refused, 0.3),
    judgeBandwidth(refused, 1e6),
  ];
  expect(judged).toEqual(Array(4).fill({ works: false, detail: 'Operation not permitted' }));
});

describe('a cut', () => {
  test('is silence, then traffic again', () => {
    expect(judgeCut(outcome(answers(0.1), silent!, answers(0.2)), 'silent')).toEqual({
      works: true,
      detail: 'traffic is silent; set in 5.2 ms, healed in 18 ms',
    });
  });

  test.each<[string, Outcome]>([
    ['no traffic before', outcome(silent!, silent!, answers(1))],
    ['a rule without effect', outcome(answers(0.1), answers(0.1), answers(0.1))],
    ['a reset instead of silence', outcome(answers(0.1), reset!, answers(0.1))],
    ['no heal', outcome(answers(0.1), silent!, silent!)],
  ])('is not: %s', (_, what) => {
    expect(judgeCut(what, 'silent').works).toBe(false);
  });

  test('by reset is a reset', () => {
    expect(judgeCut(outcome(answers(0.1), reset!, answers(0.2)), 'reset').works).toBe(true);
    expect(judgeCut(outcome(answers(0.1), silent!, answers(0.2)), 'reset').works).toBe(false);
  });
});

test('a delay is as long as asked for, beyond what there was, and ends', () => {
  expect(judgeDelay(outcome(answers(5), answers(57), answers(5)), 50)).toEqual({
    works: true,
    detail: '50 ms asked for, 52 ms measured',
  });
  expect(judgeDelay(outcome(answers(50), answers(60), answers(50)), 50).works).toBe(false);
  expect(judgeDelay(outcome(answers(5), answers(500), answers(5)), 50).works).toBe(false);
  expect(judgeDelay(outcome(answers(5), answers(55), answers(55)), 50).works).toBe(false);
  expect(judgeDelay(outcome(answers(5), silent!, answers(5)), 50).works).toBe(false);
});

test('loss is about the share asked for, and ends', () => {
  expect(judgeLoss(outcome(loss(0), loss(0.27), loss(0)), 0.3)).toEqual({
    works: true,
    detail: '30 % asked for, 27 % measured',
  });
  expect(judgeLoss(outcome(loss(0), loss(0), loss(0)), 0.3).works).toBe(false);
  expect(judgeLoss(outcome(loss(0.3), loss(0.3), loss(0.3)), 0.3).works).toBe(false);
  expect(judgeLoss(outcome(loss(0), loss(1), loss(0)), 0.3).works).toBe(false);
  expect(judgeLoss(outcome(loss(0), loss(0.3), loss(0.3)), 0.3).works).toBe(false);
});

test('bandwidth is about what was asked for, and much more without', () => {
  expect(judgeBandwidth(outcome(transfer(180), transfer(1.1), transfer(150)), 1e6)).toEqual({
    works: true,
    detail: '1.0 MB/s asked for, 1.1 MB/s measured, 180.0 MB/s before',
  });
  const wrong = [
    outcome(transfer(180), transfer(180), transfer(180)),
    outcome(transfer(180), transfer(0), transfer(180)),
    outcome(transfer(180), transfer(1), transfer(1)),
    outcome(answers(1), answers(1), answers(1)),
  ];
  expect(wrong.map((each) => judgeBandwidth(each, 1e6).works)).toEqual(Array(4).fill(false));
});
