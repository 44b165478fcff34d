/** The thread that computes password hashes, one after the other; see password-hasher.ts. */
import { parentPort } from 'node:worker_threads';
import { compareSync, hashSync } from 'bcryptjs';

export type PasswordJob =
  | { readonly type: 'hash'; readonly id: number; readonly password: string; readonly cost: number }
  | {
      readonly type: 'compare';
      readonly id: number;
      readonly password: string;
      readonly hash: string;
    };

export interface PasswordJobDone {
  readonly id: number;
  readonly value: string | boolean;
}

function run(job: PasswordJob): string | boolean {
  if (job.type === 'hash') return hashSync(job.password, job.cost);
  try {
    return compareSync(job.password, job.hash);
  } catch {
    // The stored text is no hash, so no password fits.
    return false;
  }
}

parentPort?.on('message', (job: PasswordJob) => {
  const done: PasswordJobDone = { id: job.id, value: run(job) };
  parentPort?.postMessage(done);
});
