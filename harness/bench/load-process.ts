/** The other end of `load-main.ts`. */
import { type ChildProcess, fork } from 'node:child_process';
import { assert } from '../../src/lib/assert.ts';
import { programPath } from '../cluster/process/programs.ts';
import { LoadError, type LoadResult, type LoadSpec } from './load.ts';
import type { LoadAnswer, LoadJob } from './load-job.ts';

export class LoadProcess implements Disposable {
  readonly #child: ChildProcess;
  readonly pid: number;

  constructor() {
    this.#child = fork(programPath('../../bench/load-main'), { stdio: 'inherit' });
    assert(this.#child.pid !== undefined, 'a fork of this very program starts');
    this.pid = this.#child.pid;
  }

  /** Rejects with {@link LoadError}. */
  async keys(endpoint: string, keys: { keyCount: number; valueBytes: number }): Promise<void> {
    await this.#perform({ type: 'keys', endpoint, ...keys }, () => undefined);
  }

  /** Rejects with {@link LoadError}. */
  async load(
    spec: LoadSpec,
    seed: number,
    onPhase: (phase: 'measuring' | 'measured') => void,
  ): Promise<LoadResult> {
    const answer = await this.#perform({ type: 'load', spec, seed }, onPhase);
    assert(answer.type === 'done', 'a load ends with its result');
    return answer.result;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }

  #perform(
    job: LoadJob,
    onPhase: (phase: 'measuring' | 'measured') => void,
  ): Promise<LoadAnswer & { type: 'loaded' | 'done' }> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const onExit = (): void => end(() => reject(new LoadError('the load generator ended')));
      const onMessage = (answer: LoadAnswer): void => {
        if (answer.type === 'measuring' || answer.type === 'measured') onPhase(answer.type);
        else if (answer.type === 'failed') end(() => reject(new LoadError(answer.reason)));
        else end(() => resolve(answer));
      };
      const end = (settle: () => void): void => {
        child.off('exit', onExit);
        child.off('message', onMessage);
        settle();
      };
      child.on('exit', onExit);
      child.on('message', onMessage);
      child.send(job);
    });
  }
}
