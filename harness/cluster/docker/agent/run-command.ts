/** Programs that the agent runs: what they print, or why they failed. */

import { spawn } from 'node:child_process';

export function runCommand(
  command: string,
  args: readonly string[],
  input: string = '',
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    child.stdin.on('error', () => undefined);
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(out);
      else reject(new Error(`${command} ${args.join(' ')}: exit ${code}: ${err.trim()}`));
    });
    child.stdin.end(input);
  });
}
