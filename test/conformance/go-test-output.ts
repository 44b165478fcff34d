/** What a Go test program says when it is run with -test.v, line by line. */

export type Verdict = 'passed' | 'failed' | 'skipped';

export interface TestResult {
  readonly name: string;
  readonly verdict: Verdict;
  readonly seconds: number;
  /** The test's own lines. */
  readonly output: readonly string[];
}

const STARTED = /^=== RUN {3}(\w+)$/;
const ENDED = /^--- (PASS|FAIL|SKIP): (\w+) \(([\d.]+)s\)$/;
const VERDICTS: Readonly<Record<string, Verdict>> = {
  PASS: 'passed',
  FAIL: 'failed',
  SKIP: 'skipped',
};

/** Tests run one after another: what is said between start and end is the running one's. */
export class GoTestOutput {
  #running: string | undefined;
  #lines: string[] = [];
  #rest = '';

  /** The test that has begun and not ended. */
  get running(): string | undefined {
    return this.#running;
  }

  /** What the running test, or the program outside of any, has said. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** The tests that ended in this chunk. */
  take(chunk: string): readonly TestResult[] {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.#takeLine(line.trimEnd()));
  }

  #takeLine(line: string): TestResult[] {
    const started = STARTED.exec(line)?.[1];
    if (started !== undefined) {
      this.#running = started;
      this.#lines = [];
      return [];
    }
    const [, word, name, seconds] = ENDED.exec(line) ?? [];
    if (word === undefined || name === undefined) {
      this.#lines.push(line);
      return [];
    }
    const output = this.#lines;
    this.#running = undefined;
    this.#lines = [];
    return [{ name, verdict: VERDICTS[word]!, seconds: Number(seconds), output }];
  }
}
