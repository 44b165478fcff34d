import { expect, test } from 'vitest';
import { decodeAskFrame, encodeAskFrame, Questions } from '../../src/transport/asking.ts';
import { encodePeerMessage } from '../../src/wire/peer-message.ts';
import { ManualClock } from '../support/manual-clock.ts';

const BYTES = Uint8Array.of(1, 2, 3);

/** Questions whose frames are kept. */
function lab() {
  const clock = new ManualClock();
  const questions = new Questions(clock);
  const numbers: number[] = [];
  let takes = true;
  const send = (frame: Uint8Array): boolean => {
    const decoded = decodeAskFrame(Buffer.from(frame));
    if (takes && decoded !== undefined) numbers.push(decoded.number);
    return takes;
  };
  const ask = (to: bigint): Promise<Uint8Array | undefined> =>
    questions.ask(to, BYTES, { timeoutMs: 100, send });
  const cut = (): void => {
    takes = false;
  };
  return { clock, questions, numbers, ask, cut };
}

test('frames come back as they were; messages of raft are none', () => {
  for (const type of ['question', 'answer'] as const) {
    const sent = { type, number: 0xffff_ffff, bytes: BYTES };
    const { bytes, ...frame } = decodeAskFrame(Buffer.from(encodeAskFrame(sent)))!;
    expect({ ...frame, bytes: new Uint8Array(bytes) }).toEqual(sent);
  }
  const heartbeat = {
    type: 'MsgHeartbeat',
    from: 1n,
    to: 2n,
    term: 1,
    commit: 0,
    context: 0,
  } as const;
  expect(decodeAskFrame(Buffer.from(encodePeerMessage(heartbeat)))).toBeUndefined();
  expect(decodeAskFrame(Buffer.of(0xf0, 1, 2))).toBeUndefined();
});

test('each question gets its own answer, from whom it was asked only', async () => {
  const { questions, numbers, ask } = lab();
  const [first, second] = [ask(1n), ask(2n)];
  const answer = (from: bigint, number: number, byte: number): void =>
    questions.answered(from, { type: 'answer', number, bytes: Uint8Array.of(byte) });
  answer(1n, numbers[1]!, 66);
  answer(2n, numbers[1]!, 22);
  answer(1n, numbers[0]!, 11);
  answer(1n, numbers[0]!, 77);
  expect(await Promise.all([first, second])).toEqual([Uint8Array.of(11), Uint8Array.of(22)]);
});

test('a question without an answer ends in time; one that nobody took at once', async () => {
  const { clock, questions, numbers, ask, cut } = lab();
  const asked = ask(1n);
  await clock.pass(100);
  expect(await asked).toBeUndefined();
  questions.answered(1n, { type: 'answer', number: numbers[0]!, bytes: BYTES });
  cut();
  expect(await ask(1n)).toBeUndefined();
});

test('closing ends them all', async () => {
  const { questions, ask } = lab();
  const asked = [ask(1n), ask(2n)];
  questions.close();
  expect(await Promise.all(asked)).toEqual([undefined, undefined]);
});

test('no more wait than there may be', async () => {
  const { questions, numbers, ask } = lab();
  const asked = Array.from({ length: 10_000 }, () => ask(1n));
  expect(await ask(1n)).toBeUndefined();
  expect(numbers).toHaveLength(10_000);
  questions.close();
  expect((await Promise.all(asked)).every((answer) => answer === undefined)).toBe(true);
});
