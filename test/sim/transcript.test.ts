import { describe, expect, test } from 'vitest';
import { failureLine, failureWords, seedName } from '../../harness/sim/failure-line.ts';
import { SimLoop } from '../../harness/sim/loop.ts';
import { LOG_TAIL_MAX, type MemberTrace, type TraceEvent } from '../../harness/sim/trace.ts';
import { transcriptLine } from '../../harness/sim/transcript.ts';
import { SimWorld } from '../../harness/sim/world.ts';
import { putRequest } from '../../src/client/requests.ts';
import { shortPlan } from './short-plan.ts';

describe('a transcript', () => {
  test.each<readonly [TraceEvent, string]>([
    [
      {
        type: 'message',
        atNs: 1_500_000,
        sentNs: 250_000,
        from: 'n1',
        to: 'n2',
        kind: 'MsgApp',
        term: 2,
        text: 'MsgApp…',
        fate: 'cut',
      },
      '     0.001500 n1→n2 cut after 1.250 ms: MsgApp…',
    ],
    [
      { type: 'fact', atNs: 12_345_678_900, node: 'n1', text: 'becameLeader' },
      '    12.345679 n1 becameLeader',
    ],
    [{ type: 'disk', atNs: 0, node: 'n1', text: 'sync' }, '     0.000000 n1 disk: sync'],
    [
      {
        type: 'fault',
        atNs: 0,
        id: 1,
        kind: 'kill',
        step: 'inject',
        description: 'n1',
        nodes: ['n1'],
      },
      '     0.000000 nemesis kill inject: n1',
    ],
    [
      { type: 'op', atNs: 0, process: 3, node: 'n2', step: 'ok', text: 'read 1' },
      '     0.000000 client 3 at n2 ok read 1',
    ],
    [{ type: 'failure', atNs: 0, text: 'state: n1' }, '     0.000000 FAILURE state: n1'],
  ])('has a line for %o', (event, line) => {
    expect(transcriptLine(event)).toBe(line);
  });

  test('keeps what clients write on its line', () => {
    const event = { type: 'disk' as const, atNs: 0, node: 'n1', text: 'a\nb\tc\u0000' };
    expect(transcriptLine(event)).toBe('     0.000000 n1 disk: a·b·c·');
  });
});

describe('members', () => {
  /** The life of one member, and what was told of it. */
  async function traced(): Promise<readonly MemberTrace[]> {
    const told: MemberTrace[] = [];
    const tracer = {
      trace: (event: TraceEvent) => {
        if (event.type === 'member') told.push(event);
      },
    };
    const loop = new SimLoop();
    const plan = shortPlan({
      memberCount: 1,
      member: { ...shortPlan().member, snapshotCount: 1_000 },
    });
    const world = new SimWorld(plan, { loop, tracer });
    const [node] = world.nodes;
    const pass = (ms: number): Promise<void> =>
      loop.drive(new Promise((done) => loop.schedule(ms * 1e6, done)));
    node!.start();
    await pass(1_000);
    for (let at = 0; at < 40; at++) {
      const request = putRequest({ key: 'a', value: String(at) });
      await loop.drive(world.clients.connect('sim://n1').put(request, { timeoutMs: 1_000 }));
    }
    await pass(100);
    node!.life?.process.pause();
    world.traceNode(node!);
    node!.kill({ keepsCache: true });
    world.traceNode(node!);
    return told;
  }

  test('are told of when anything about them has changed, and only then', async () => {
    const told = await traced();
    expect(told.map((trace) => trace.role)).toContain('candidate');
    const serving = told.at(-3)!;
    expect(serving).toMatchObject({ state: 'running', role: 'leader', vote: 'n1', leader: 'n1' });
    expect(serving.applied).toBe(serving.lastIndex);
    expect(serving.applied).toBeGreaterThan(40);
    expect(serving.tailTerms).toHaveLength(LOG_TAIL_MAX);
    expect(serving.tailTerms.at(-1)).toBe(serving.term);
    const { atNs: pausedNs, electionElapsedTicks } = told.at(-2)!;
    const paused = { ...serving, atNs: pausedNs, electionElapsedTicks, state: 'paused' };
    expect(told.at(-2)).toEqual(paused);
    // What is known of the dead is what they last were.
    const { tailTerms, term } = serving;
    expect(told.at(-1)).toMatchObject({ state: 'dead', tailTerms, term });
    for (const [at, trace] of told.entries()) {
      const { atNs, electionElapsedTicks: ticks } = trace;
      const before = told[at - 1];
      if (before === undefined) continue;
      expect(before.atNs).toBeLessThanOrEqual(atNs);
      // Of timers, only those that start over, or have begun to run, are told.
      const runsOn = ticks > 0 && before.electionElapsedTicks > 0;
      if (runsOn) expect(trace).not.toEqual({ ...before, atNs, electionElapsedTicks: ticks });
      expect(trace.commit).toBeLessThanOrEqual(trace.lastIndex);
    }
  });
});

describe('the line about a failure', () => {
  const failure = { by: 'death', name: 'a member stopped', detail: 'n1: x', atNs: 2.5e9 } as const;

  test('says what, when, and how to see it again', () => {
    const plan = { ...shortPlan({ seed: 9 }), code: 'abc' };
    expect(failureWords(failure)).toBe('died: a member stopped: n1: x, at 2.500 s');
    expect(seedName(plan)).toBe('9@abc');
    expect(failureLine(plan, failure, 'x.json')).toBe(
      'died: a member stopped: n1: x, at 2.500 s; seed 9@abc; replay: npm run storm -- replay x.json',
    );
  });
});
