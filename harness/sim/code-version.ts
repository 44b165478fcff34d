/**
 * Which code this is: a seed means something only together with the sources that draw from it.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { StormError } from '../exit-code.ts';

/** What decides the course of a simulation; reports and pages do not. */
const FOLDERS = [
  'src',
  'workloads',
  'checkers',
  'harness/sim',
  'harness/nemesis',
  'harness/disk',
  'harness/network',
  'harness/administration',
  'harness/stages',
];
const FILES = [
  'interpreter',
  'recovery',
  'recorder',
  'draw',
  'plan',
  'seeded-random',
  'timing',
  'member-probe',
  'cluster/cluster',
].map((name) => `harness/${name}`);
const DIGITS = 12;

/** In a run's environment.json: which code it was made by. */
export const CODE_FIELD = 'code';

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

/** Throws {@link StormError} if `what` was made by code `made` and this is other code. */
export function refuseOtherCode(what: string, made: string, code: string): void {
  if (made === code) return;
  throw new StormError(
    `replay: ${what} was made by code ${made} and this is ${code}, under which it means other` +
      ' events; check that code out, or run storm sim with the seed',
  );
}

function sources(root: string): string[] {
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => isSource(name))
      .map((name) => `${folder}/${name}`),
  );
  const beside = ['harness', 'harness/cluster']
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`))
    .filter((path) => isSource(path) && FILES.some((file) => path.startsWith(`${file}.`)));
  return [...inFolders, ...beside].sort();
}

function isSource(name: string): boolean {
  return /(?<!\.d)\.([jt]s|json)$/.test(name);
}
