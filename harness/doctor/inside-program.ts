/**
 * Programs that run where the doctor has no files: in containers whose image is built for members.
 * Their text goes along on the command line, so they import nothing of ours.
 */

import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

export type InsideProgram = 'answer' | 'redirect' | 'traffic' | 'work';

/** The command that runs the program on Node 26, wherever `node` is. */
export function insideCommand(
  node: string,
  program: InsideProgram,
  parameters: readonly string[],
): readonly [string, ...string[]] {
  const extension = extname(import.meta.url);
  const path = fileURLToPath(new URL(`./inside/${program}${extension}`, import.meta.url));
  // `.js` once published.
  const type = extension === '.ts' ? 'module-typescript' : 'module';
  const text = readFileSync(path, 'utf8');
  return [node, `--input-type=${type}`, '-e', text, '--', ...parameters];
}

/** The JSON object that a program has printed. Throws when it is something else. */
export function parsePrinted(printed: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(printed);
  } catch {
    throw new Error(`it printed no figures: ${printed.trim().split('\n')[0] ?? ''}`);
  }
  if (typeof value !== 'object' || value === null) throw new Error('it printed no figures');
  return { ...value };
}

/** A number among what was printed; throws when it is not there. */
export function figure(printed: Readonly<Record<string, unknown>>, name: string): number {
  const value = printed[name];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new Error(`it printed no ${name}`);
}
