import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { codeVersion } from '../../harness/sim/code-version.ts';
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
    expect(told.at(-2)).toEqual({ ...serving, atNs: told.at(-2)!.atNs, state: 'paused' });
    expect(told.at(-1)).toMatchObject({ state: 'dead', lastIndex: 0, tailTerms: [] });
    for (const [at, trace] of told.entries()) {
      const { atNs, ...rest } = told[at - 1] ?? trace;
      if (at > 0) expect(trace).not.toEqual({ ...rest, atNs: trace.atNs });
      expect(trace.commit).toBeLessThanOrEqual(trace.lastIndex);
      expect(atNs).toBeLessThanOrEqual(trace.atNs);
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

describe('the version of the code', () => {
  test('follows what decides the course of a simulation, and nothing else', () => {
    const root = mkdtempSync(join(tmpdir(), 'storm-code-'));
    const own = resolve(import.meta.dirname, '../..');
    try {
      for (const folder of ['src', 'workloads', 'checkers', 'harness']) {
        cpSync(join(own, folder), join(root, folder), { recursive: true });
      }
      const before = codeVersion(root);
      expect(before).toMatch(/^[0-9a-f]{12}$/);
      expect(before).toBe(codeVersion());
      writeFileSync(join(root, 'harness/usage.ts'), 'export const usage = 1;\n');
      writeFileSync(join(root, 'src/notes.md'), 'notes\n');
      expect(codeVersion(root)).toBe(before);
      writeFileSync(join(root, 'src/raft/more.ts'), 'export const more = 1;\n');
      const after = codeVersion(root);
      expect(after).not.toBe(before);
      writeFileSync(join(root, 'harness/interpreter.ts'), '// another\n');
      expect(codeVersion(root)).not.toBe(after);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
