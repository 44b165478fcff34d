import { Worker } from 'node:worker_threads';
import { assert } from '../lib/assert.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { HasherFailure, PasswordHasher } from '../ports/password-hasher.ts';
import { PasswordCache } from './password-cache.ts';
import type { PasswordJob, PasswordJobDone } from './password-worker.ts';

/** etcd's --bcrypt-cost: each step doubles the time. */
export const BCRYPT_COST_MIN = 4;
export const BCRYPT_COST_MAX = 31;
export const BCRYPT_COST_DEFAULT = 10;

/** Passwords at work or waiting; as many as take about the time a request may take. */
export const PASSWORD_JOBS_MAX = 64;

export interface BcryptOptions {
  readonly cost: number;
  readonly jobsMax: number;
}

type Finish = (result: Result<string | boolean, HasherFailure>) => void;

/**
 * bcrypt on one thread of its own, started when first needed: logins take at most one core, and
 * none from requests. Passwords that were verified before are known without it.
 */
export class BcryptHasher implements PasswordHasher {
  readonly #options: BcryptOptions;
  readonly #cache = new PasswordCache();
  /** By the digest of what is compared: whoever asks the same meanwhile waits along. */
  readonly #comparing = new Map<string, Promise<Result<boolean, HasherFailure>>>();
  readonly #jobs = new Map<number, Finish>();
  #nextId = 0;
  #worker: Worker | undefined;
  #isClosed = false;

  constructor(options: Partial<BcryptOptions> = {}) {
    this.#options = { cost: BCRYPT_COST_DEFAULT, jobsMax: PASSWORD_JOBS_MAX, ...options };
    const { cost } = this.#options;
    assert(cost >= BCRYPT_COST_MIN && cost <= BCRYPT_COST_MAX, `no cost of bcrypt: ${cost}`);
  }

  async hash(password: string): Promise<Result<string, HasherFailure>> {
    const { cost } = this.#options;
    const done = await this.#run((id) => ({ type: 'hash', id, password, cost }));
    if (!done.ok) return done;
    assert(typeof done.value === 'string', 'a hash is text');
    return ok(done.value);
  }

  compare(password: string, hash: string): Promise<Result<boolean, HasherFailure>> {
    const digest = this.#cache.digest(password, hash);
    if (this.#cache.has(digest)) return Promise.resolve(ok(true));
    const running = this.#comparing.get(digest);
    if (running !== undefined) return running;
    const comparing = this.#compare(password, hash, digest);
    this.#comparing.set(digest, comparing);
    return comparing;
  }

  /** Whoever waits is told that the server stops. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#lose();
    await worker?.terminate();
  }

  async #compare(
    password: string,
    hash: string,
    digest: string,
  ): Promise<Result<boolean, HasherFailure>> {
    const done = await this.#run((id) => ({ type: 'compare', id, password, hash }));
    this.#comparing.delete(digest);
    if (!done.ok) return done;
    if (done.value === true) this.#cache.add(digest);
    return ok(done.value === true);
  }

  #run(make: (id: number) => PasswordJob): Promise<Result<string | boolean, HasherFailure>> {
    if (this.#isClosed) return Promise.resolve(err('stopped'));
    if (this.#jobs.size >= this.#options.jobsMax) return Promise.resolve(err('tooManyRequests'));
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#jobs.set(id, resolve);
      worker.ref();
      worker.postMessage(make(id));
    });
  }

  #start(): Worker {
    // The file beside this one, which is JavaScript once built.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./password-worker.${extension}`, import.meta.url));
    worker.on('message', ({ id, value }: PasswordJobDone) => {
      const finish = this.#jobs.get(id);
      this.#jobs.delete(id);
      // An idle thread does not keep the process alive.
      if (this.#jobs.size === 0) worker.unref();
      finish?.(ok(value));
    });
    // A thread that dies takes its jobs with it; the next job starts another.
    worker.on('error', () => this.#lose());
    return worker;
  }

  #lose(): void {
    this.#worker = undefined;
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    for (const finish of jobs) finish(err('stopped'));
  }
}
