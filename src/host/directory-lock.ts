import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer, type Server } from 'node:net';

/**
 * Keeps a second process off a directory: two writers would destroy a log. Node has no file
 * locks, but Linux has socket names that exist nowhere but in the kernel and vanish with
 * their process, however it ends. They are seen within one network namespace only.
 */
export interface DirectoryLock {
  release(): Promise<void>;
}

/** `taken`: another process holds it; `unsupported`: this system has no such names. */
export async function lockDirectory(
  directory: string,
): Promise<DirectoryLock | 'taken' | 'unsupported'> {
  if (process.platform !== 'linux') return 'unsupported';
  const digest = createHash('sha256').update(realpathSync(directory)).digest('hex');
  const server = createServer((socket) => socket.destroy());
  const listening = await listen(server, `\0stormraft-${digest.slice(0, 32)}`);
  if (!listening) return 'taken';
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

function listen(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(path, () => resolve(true));
  });
}
