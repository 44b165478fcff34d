/** Waiting for members to come up. */

import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterError } from '../cluster.ts';
import type { Member } from './member.ts';

/** From launch until the client port accepts connections. */
const LISTEN_MS_MAX = 60_000;
const LISTEN_POLL_MS = 20;

/** Resolves when something listens on the member's port; throws when the member ends instead. */
export async function awaitListening(member: Member, port: number): Promise<void> {
  for (let waitedMs = 0; !(await accepts(port)); waitedMs += LISTEN_POLL_MS) {
    if (!member.isRunning || waitedMs > LISTEN_MS_MAX) {
      const problem = member.isRunning ? 'does not listen' : 'has ended';
      throw new ClusterError(`${member.name} ${problem}; its log ends:\n${member.logTail}`);
    }
    await sleep(LISTEN_POLL_MS);
  }
}

/** Whether `error` says that another process was quicker to listen on a chosen port. */
export function isPortTaken(error: unknown): boolean {
  return error instanceof ClusterError && /address already in use|EADDRINUSE/.test(error.message);
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1');
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}
