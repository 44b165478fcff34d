/** Random file operations: each is drawn once and then done in any number of directories. */

import {
  accessSync,
  appendFileSync,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeSync,
  writevSync,
} from 'node:fs';
import { join } from 'node:path';
import { drawBetween, drawOne } from '../../harness/draw.ts';
import type { Random } from '../../src/ports/random.ts';

/** A directory and the files open in it, by number. */
export interface Place {
  readonly directory: string;
  readonly handles: Map<number, number>;
}

export type Outcome = Buffer | string | number | undefined | readonly string[];

/** What a call answers that may answer nothing. */
// biome-ignore lint/suspicious/noConfusingVoidType: calls of node:fs without an answer
type Result = Outcome | void;

export interface Operation {
  readonly words: string;
  readonly perform: (place: Place) => Outcome;
}

const DIRECTORIES = ['', 'd/', 'e/', 'd/s/'];
const LEAVES = ['a', 'b', 'c', 'd', 'e', 's'];
const HANDLES = 10;
const FLAGS = ['r', 'r+', 'rs+', 'w', 'w+', 'wx+', 'a', 'a+', 'a+', 'ax+'] as const;
/** Most of what is written is small, some of it far behind the end. */
const OFFSETS_MAX = [600, 600, 9_000, 9_000, 70_000, 400_000];
const LENGTHS_MAX = [100, 600, 5_000, 5_000, 20_000, 140_000];

type Draw = (random: Random) => Operation;

const DRAWS: readonly (readonly [weight: number, draw: Draw])[] = [
  [12, openFile],
  [4, closeFile],
  [22, writeAt],
  [8, appendThrough],
  [3, writeVector],
  [22, readAt],
  [5, truncateThrough],
  [4, (r) => onHandle(r, 'fstat', (fd) => summary(fstatSync(fd)))],
  [0.5, (r) => onHandle(r, 'fdatasync', (fd) => fdatasyncSync(fd))],
  [0.5, (r) => onHandle(r, 'fsync', (fd) => fsyncSync(fd))],
  [3, (r) => onPath(r, 'readFile', (path) => readFileSync(path))],
  [3, truncatePath],
  [1, appendPath],
  [4, (r) => onPath(r, 'lstat', (path) => summary(lstatSync(path)))],
  [2, (r) => onPath(r, 'stat', (path) => summary(statSync(path)))],
  [1, (r) => onPath(r, 'access', (path) => accessSync(path, constants.W_OK))],
  [4, (r) => onPath(r, 'unlink', (path) => unlinkSync(path))],
  [2, (r) => onPath(r, 'mkdir', (path) => void mkdirSync(path))],
  [4, makeDirectory],
  [2, (r) => onPath(r, 'rmdir', (path) => rmdirSync(path))],
  [3, (r) => onPath(r, 'readdir', (path) => readdirSync(path).sort())],
  [1, (r) => onPath(r, 'readlink', (path) => readlinkSync(path))],
  [0.2, (r) => onPath(r, 'rm -r', (path) => rmSync(path, { recursive: true }))],
  [0.3, syncDirectory],
  [8, (r) => onTwoPaths(r, 'rename', renameSync)],
  [3, (r) => onTwoPaths(r, 'link', linkSync)],
  [1, drawSymlink],
  [1, (r) => onTwoPaths(r, 'copy', (from, to) => copyFileSync(from, to))],
  [1, changeMode],
  [1, changeTimes],
];

const WEIGHTS = DRAWS.map(([weight]) => Math.round(weight * 10));
const WEIGHT_SUM = WEIGHTS.reduce((sum, weight) => sum + weight, 0);

export function drawOperation(random: Random): Operation {
  let left = random.below(WEIGHT_SUM);
  for (const [at, weight] of WEIGHTS.entries()) {
    if (left < weight) return DRAWS[at]![1](random);
    left -= weight;
  }
  throw new Error('the weights do not add up');
}

/** The error's code if it is refused. */
export function outcomeOf({ perform }: Operation, place: Place): Outcome {
  try {
    return perform(place);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return `refused: ${error.code}`;
    throw error;
  }
}

export function equalOutcomes(one: Outcome, other: Outcome): boolean {
  if (Buffer.isBuffer(one)) return Buffer.isBuffer(other) && one.equals(other);
  if (Array.isArray(one)) return Array.isArray(other) && one.join('/') === other.join('/');
  return one === other;
}

export function closeAll({ handles }: Place): void {
  for (const fd of handles.values()) closeSync(fd);
  handles.clear();
}

/** What must agree; inode numbers and times need not, nor what directories say of themselves. */
export function summary(stats: Stats): string {
  const mode = stats.mode.toString(8);
  return stats.isDirectory() ? mode : `${mode} links ${stats.nlink} size ${stats.size}`;
}

/** One of those that most paths lead through. */
function makeDirectory(random: Random): Operation {
  const name = drawOne(random, DIRECTORIES.slice(1));
  return {
    words: `mkdir ${name}`,
    perform: ({ directory }) => void mkdirSync(join(directory, name)),
  };
}

function openFile(random: Random): Operation {
  const slot = random.below(HANDLES);
  const flags = drawOne(random, FLAGS);
  return onPath(random, `open ${flags} as ${slot}:`, (path, { handles }) => {
    const old = handles.get(slot);
    handles.delete(slot);
    if (old !== undefined) closeSync(old);
    handles.set(slot, openSync(path, flags));
  });
}

function closeFile(random: Random): Operation {
  return onHandle(random, 'close', (fd, place, slot) => {
    place.handles.delete(slot);
    closeSync(fd);
  });
}

function writeAt(random: Random): Operation {
  const { bytes, offset } = drawPiece(random);
  const words = `write ${bytes.length} bytes at ${offset}`;
  return onHandle(random, words, (fd) => writeSync(fd, bytes, 0, bytes.length, offset));
}

function appendThrough(random: Random): Operation {
  const { bytes } = drawPiece(random);
  return onHandle(random, `write ${bytes.length} bytes here`, (fd) => writeSync(fd, bytes));
}

function writeVector(random: Random): Operation {
  const { bytes, offset } = drawPiece(random);
  const parts = [bytes.subarray(0, 10), bytes.subarray(10)];
  const words = `writev ${bytes.length} bytes at ${offset}`;
  return onHandle(random, words, (fd) => writevSync(fd, parts, offset));
}

function readAt(random: Random): Operation {
  const offset = random.below(drawOne(random, OFFSETS_MAX));
  const length = 1 + random.below(drawOne(random, LENGTHS_MAX));
  return onHandle(random, `read ${length} bytes at ${offset}`, (fd) => {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
  });
}

function truncateThrough(random: Random): Operation {
  const size = random.below(drawOne(random, OFFSETS_MAX));
  return onHandle(random, `ftruncate to ${size}`, (fd) => ftruncateSync(fd, size));
}

function truncatePath(random: Random): Operation {
  const size = random.below(drawOne(random, OFFSETS_MAX));
  return onPath(random, `truncate to ${size}`, (path) => truncateSync(path, size));
}

function appendPath(random: Random): Operation {
  const { bytes } = drawPiece(random);
  return onPath(random, `append ${bytes.length} bytes`, (path) => appendFileSync(path, bytes));
}

function syncDirectory(random: Random): Operation {
  return onPath(random, 'fsync directory', (path) => {
    const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  });
}

function drawSymlink(random: Random): Operation {
  const target = drawOne(random, LEAVES);
  return onPath(random, `symlink to ${target}`, (path) => symlinkSync(target, path));
}

function changeMode(random: Random): Operation {
  const mode = drawOne(random, [0o600, 0o644, 0o755, 0o711]);
  return onPath(random, `chmod ${mode.toString(8)}`, (path) => chmodSync(path, mode));
}

function changeTimes(random: Random): Operation {
  const seconds = random.below(2_000_000_000) + 0.25;
  return onPath(random, `utimes ${seconds}`, (path) => {
    utimesSync(path, seconds, seconds);
    return statSync(path).mtimeMs;
  });
}

function onHandle(
  random: Random,
  words: string,
  act: (fd: number, place: Place, slot: number) => Result,
): Operation {
  const draw = random.below(2 ** 16);
  return {
    words: `${words} (${draw})`,
    perform: (place) => {
      const open = [...place.handles];
      if (open.length === 0) return 'not open';
      const [slot, fd] = open[draw % open.length]!;
      return act(fd, place, slot) ?? undefined;
    },
  };
}

function onPath(
  random: Random,
  words: string,
  act: (path: string, place: Place) => Result,
): Operation {
  const path = drawPath(random);
  return {
    words: `${words} ${path}`,
    perform: (place) => act(join(place.directory, path), place) ?? undefined,
  };
}

function onTwoPaths(
  random: Random,
  words: string,
  act: (from: string, to: string) => void,
): Operation {
  const [from, to] = [drawPath(random), drawPath(random)];
  return {
    words: `${words} ${from} ${to}`,
    perform: ({ directory }) => {
      act(join(directory, from), join(directory, to));
      return undefined;
    },
  };
}

function drawPath(random: Random): string {
  return drawOne(random, DIRECTORIES) + drawOne(random, LEAVES);
}

function drawPiece(random: Random): { readonly bytes: Buffer; readonly offset: number } {
  const length = 1 + random.below(drawOne(random, LENGTHS_MAX));
  const bytes = Buffer.alloc(length, drawBetween(random, 1, 255));
  // So that a piece in the wrong place shows.
  bytes.writeUInt8(length & 0xff, length - 1);
  return { bytes, offset: random.below(drawOne(random, OFFSETS_MAX)) };
}
