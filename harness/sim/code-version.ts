/**
 * Which code this is: a seed means something only together with the sources that draw from it.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** What decides the course of a simulation; reports and pages do not. */
const FOLDERS = ['src', 'workloads', 'checkers', 'harness/sim', 'harness/nemesis'];
const FILES = ['harness/interpreter', 'harness/recovery', 'harness/recorder', 'harness/draw'];
const DIGITS = 12;

const OWN_ROOT: string = resolve(import.meta.dirname, '../..');

/** The first hexadecimal digits of a SHA-256 over the sources below `root`. */
export function codeVersion(root: string = OWN_ROOT): string {
  const hash = createHash('sha256');
  for (const path of sources(root)) {
    hash.update(path);
    hash.update(readFileSync(join(root, path)));
  }
  return hash.digest('hex').slice(0, DIGITS);
}

function sources(root: string): string[] {
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => isSource(name))
      .map((name) => `${folder}/${name}`),
  );
  const beside = readdirSync(join(root, 'harness'))
    .map((name) => `harness/${name}`)
    .filter((path) => isSource(path) && FILES.some((file) => path.startsWith(`${file}.`)));
  return [...inFolders, ...beside].sort();
}

function isSource(name: string): boolean {
  return /(?<!\.d)\.[jt]s$/.test(name);
}
