import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { GoTestOutput, type TestResult } from './go-test-output.ts';
import type { Workshop } from './workshop.ts';

/** Longer than any test takes; some wait without end for a line that does not come. */
const TEST_MS_MAX = 120_000;
/** Of those that are known to fail. */
const FAILING_MS_MAX = 30_000;
const WATCH_INTERVAL_MS = 1_000;

/**
 * Runs the tests of these names, in the suite's order. What hangs, or ends the whole program,
 * counts as failed, and the rest is run without it.
 */
export async function runSuite(
  workshop: Workshop,
  names: readonly string[],
  options: SuiteOptions,
): Promise<void> {
  let left = names;
  while (left.length > 0) {
    const done = await runUntilBroken(workshop, left, options);
    left = left.filter((name) => !done.has(name));
  }
}

export interface SuiteOptions {
  readonly onResult: (result: TestResult) => void;
  readonly isKnownToFail: (name: string) => boolean;
}

/** Which tests have a result now: at least one. */
async function runUntilBroken(
  workshop: Workshop,
  names: readonly string[],
  { onResult, isKnownToFail }: SuiteOptions,
): Promise<ReadonlySet<string>> {
  const output = new GoTestOutput();
  const done = new Set<string>();
  const { scratch, workingDirectory } = workshop;
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch);
  const child = spawn('unshare', isolated(workshop, names), {
    cwd: workingDirectory,
    env: { ...process.env, TMPDIR: scratch },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const isOver = new Promise((resolve) => child.once('close', resolve));
  const kill = () => child.kill('SIGKILL');
  let isHung = false;
  let isBroken = false;
  let beganMs = Date.now();
  const watchdog = setInterval(() => {
    const maxMs = isKnownToFail(output.running ?? '') ? FAILING_MS_MAX : TEST_MS_MAX;
    if (Date.now() - beganMs < maxMs) return;
    isHung = true;
    kill();
  }, WATCH_INTERVAL_MS);
  const take = (chunk: string) => {
    for (const result of isBroken ? [] : output.take(chunk)) {
      done.add(result.name);
      onResult(result);
      beganMs = Date.now();
      // A test that failed may leave servers behind, on the ports of the next.
      if (result.verdict !== 'failed') continue;
      isBroken = true;
      kill();
      break;
    }
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  process.once('exit', kill);
  await isOver;
  clearInterval(watchdog);
  process.off('exit', kill);
  if (isBroken) return done;
  const name = output.running ?? names.find((each) => !done.has(each));
  if (name === undefined) return done;
  const lines = [isHung ? 'did not end' : 'ended the whole suite', ...output.lines];
  const seconds = (Date.now() - beganMs) / 1_000;
  onResult({ name, verdict: 'failed', seconds, output: lines });
  return done.add(name);
}

/** Own ports, and own processes that end with the suite, whatever a failed test leaves behind. */
function isolated({ program, binaries }: Workshop, names: readonly string[]): string[] {
  const flags = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const user = userInfo().uid === 0 ? [] : ['--map-root-user'];
  const suite = ['-test.v', '-test.timeout', '0', '--bin-dir', binaries];
  const chosen = ['-test.run', `^(${names.join('|')})$`];
  const script = 'PATH="$PATH:/usr/sbin:/sbin"; ip link set lo up && exec "$@"';
  return [...flags, ...user, 'sh', '-c', script, 'sh', program, ...suite, ...chosen];
}
