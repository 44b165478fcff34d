/**
 * A daemon on another machine, over the user's own ssh: keys, known hosts and jump hosts are what
 * `ssh HOST` uses. The daemon's socket and the ports of members become local ones, so that servers
 * without access control are not published to a network.
 */

import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ClusterError } from '../cluster.ts';
import { choosePorts } from '../process/ports.ts';

const CONNECT_TIMEOUT_S = 10;
const OPEN_TIMEOUT_MS = 15_000;
const OPEN_RETRY_MS = 25;
const LAST_WORDS_CHARACTERS_MAX = 500;
const FORWARD_ATTEMPTS_MAX = 3;
const REMOTE_SOCKET = '/var/run/docker.sock';
const DIRECTORY = /^storm-ssh-(\d+)-/;

const execute = promisify(execFile);

export interface SshTunnel {
  /** Of the daemon, as if it were on this machine. */
  readonly socketPath: string;
  /** Free ports of this machine that lead to these of the other machine's loopback. */
  reach(ports: readonly number[]): Promise<readonly number[]>;
}

/** What ssh is to be called with for `ssh://[USER@]HOST[:PORT][/SOCKET]`. */
export function sshTarget(address: string): {
  readonly args: readonly string[];
  readonly remoteSocket: string;
} {
  const { username, hostname, port, pathname } = new URL(address);
  const user = username === '' ? [] : ['-l', decodeURIComponent(username)];
  return {
    args: [...user, ...(port === '' ? [] : ['-p', port]), '--', hostname],
    remoteSocket: pathname === '' || pathname === '/' ? REMOTE_SOCKET : pathname,
  };
}

/**
 * Opens one connection for everything; it ends with this process, however that ends. Throws
 * ClusterError with ssh's last words. Never asks: a key must need no password, or an agent has it.
 */
export async function openSshTunnel(address: string): Promise<SshTunnel> {
  sweepTunnels();
  const directory = mkdtempSync(join(tmpdir(), `storm-ssh-${process.pid}-`));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const [control, socketPath] = [join(directory, 'control'), join(directory, 'docker.sock')];
  const { args, remoteSocket } = sshTarget(address);
  const options = ['BatchMode=yes', `ConnectTimeout=${CONNECT_TIMEOUT_S}`];
  options.push('ExitOnForwardFailure=yes', 'ServerAliveInterval=15');
  const master = spawn(
    'ssh',
    [
      ...['-M', '-S', control, '-T', '-L', `${socketPath}:${remoteSocket}`],
      ...options.flatMap((option) => ['-o', option]),
      ...args,
      // Ends with its input, which ends with us.
      'cat',
    ],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  let lastWords = '';
  let hasEnded = false;
  master.stderr.on('data', (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString()).slice(-LAST_WORDS_CHARACTERS_MAX);
  });
  master.on('error', ({ message }) => {
    lastWords = message;
    hasEnded = true;
  });
  master.on('close', () => {
    hasEnded = true;
  });
  const deadlineMs = Date.now() + OPEN_TIMEOUT_MS;
  while (!existsSync(socketPath) || !existsSync(control)) {
    if (hasEnded || Date.now() > deadlineMs) {
      master.kill('SIGKILL');
      const why = lastWords.trim().split('\n').at(-1) || 'it does not answer';
      throw new ClusterError(`no tunnel to ${address}: ${why}`);
    }
    await sleep(OPEN_RETRY_MS);
  }
  // It must not keep this process alive.
  master.unref();
  for (const stream of [master.stdin, master.stderr]) {
    if ('unref' in stream && typeof stream.unref === 'function') stream.unref();
  }
  return {
    socketPath,
    async reach(ports) {
      for (let attempt = 1; ; attempt++) {
        const here = await choosePorts(ports.length, `${directory} ${ports.join()} ${attempt}`);
        const forwards = ports.flatMap((port, at) => {
          return ['-L', `127.0.0.1:${here[at]}:127.0.0.1:${port}`];
        });
        try {
          await execute('ssh', ['-S', control, '-O', 'forward', ...forwards, ...args]);
          return here;
        } catch (cause) {
          // Somebody may have taken one of ours meanwhile.
          if (attempt < FORWARD_ATTEMPTS_MAX) continue;
          const reason = cause instanceof Error ? cause.message : String(cause);
          throw new ClusterError(`ports ${ports.join()} of ${address}: ${reason.trim()}`, {
            cause,
          });
        }
      }
    },
  };
}

/** Directories of processes that were killed. */
function sweepTunnels(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = DIRECTORY.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
