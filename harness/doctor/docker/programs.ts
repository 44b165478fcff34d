/** Programs that the probes run in the scratch containers, and what came of them. */

import { type InsideProgram, insideCommand, parsePrinted } from '../inside-program.ts';
import type { DockerScratch, Ended } from './scratch.ts';

/** What the program printed. Throws with its last words when it failed. */
export async function execInside(
  scratch: DockerScratch,
  containerId: string,
  program: InsideProgram,
  parameters: readonly string[],
  environment: readonly string[] = [],
): Promise<Readonly<Record<string, unknown>>> {
  const command = insideCommand('node', program, parameters);
  return printedBy(await scratch.exec(containerId, command, environment));
}

export function printedBy({ exitCode, stdout, stderr }: Ended): Readonly<Record<string, unknown>> {
  if (exitCode === 0) return parsePrinted(stdout);
  const words = stderr
    .trim()
    .split('\n')
    .filter((line) => line.trim() !== '');
  throw new Error(words.find((line) => /error|denied|cannot/i.test(line)) ?? `exit ${exitCode}`);
}
