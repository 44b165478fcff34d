/**
 * Started on a disk by `disk.test.ts`: the same random file operations in two directories, one
 * on the disk and one plain, must have the same outcomes, errors and contents included.
 *
 *   node compare.ts DISK PLAIN
 */

import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';

/** One of the files open at a time, in either directory. */
type Handles = Map<number, number>;
type Step = (directory: string, handles: Handles) => unknown;

const name = fc.constantFrom('a', 'b', 'd', 'd/a', 'd/b', 'e', 'e/a');
const slot = fc.integer({ min: 0, max: 3 });
const offset = fc.integer({ min: 0, max: 20_000 });
const data = fc.tuple(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 255 }));
const flags = fc.constantFrom('r', 'r+', 'w', 'w+', 'wx', 'a', 'a+', 'rs+');

const handleStep: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(slot, name, flags).map(
    ([at, path, how]): Step =>
      (directory, handles) => {
        const old = handles.get(at);
        handles.delete(at);
        if (old !== undefined) closeSync(old);
        handles.set(at, openSync(join(directory, path), how));
      },
  ),
  fc.tuple(slot, data, fc.option(offset)).map(([at, [length, byte], position]): Step => {
    const bytes = Buffer.alloc(length, byte);
    return (_, handles) => writeSync(handles.get(at) ?? -1, bytes, 0, length, position);
  }),
  fc.tuple(slot, offset).map(
    ([at, position]): Step =>
      (_, handles) => {
        const bytes = Buffer.alloc(30_000);
        const readBytes = readSync(handles.get(at) ?? -1, bytes, 0, bytes.length, position);
        return bytes.toString('hex', 0, readBytes);
      },
  ),
  fc.tuple(slot, offset).map(
    ([at, size]): Step =>
      (_, handles) =>
        ftruncateSync(handles.get(at) ?? -1, size),
  ),
  slot.map(
    (at): Step =>
      (_, handles) =>
        summary(fstatSync(handles.get(at) ?? -1)),
  ),
  slot.map(
    (at): Step =>
      (_, handles) =>
        fdatasyncSync(handles.get(at) ?? -1),
  ),
);

const nameStep: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(name, name).map(
    ([from, to]): Step =>
      (directory) => {
        renameSync(join(directory, from), join(directory, to));
      },
  ),
  fc.tuple(name, name).map(
    ([from, to]): Step =>
      (directory) => {
        linkSync(join(directory, from), join(directory, to));
      },
  ),
  name.map(
    (path): Step =>
      (directory) =>
        unlinkSync(join(directory, path)),
  ),
  name.map(
    (path): Step =>
      (directory) =>
        mkdirSync(join(directory, path)),
  ),
  name.map(
    (path): Step =>
      (directory) =>
        rmdirSync(join(directory, path)),
  ),
  fc.tuple(name, name).map(
    ([to, path]): Step =>
      (directory) => {
        symlinkSync(to, join(directory, path));
      },
  ),
  name.map(
    (path): Step =>
      (directory) =>
        readlinkSync(join(directory, path)),
  ),
  fc.tuple(name, offset).map(
    ([path, size]): Step =>
      (directory) =>
        truncateSync(join(directory, path), size),
  ),
  name.map(
    (path): Step =>
      (directory) =>
        summary(lstatSync(join(directory, path))),
  ),
  name.map(
    (path): Step =>
      (directory) =>
        readFileSync(join(directory, path)).toString('hex'),
  ),
  name.map(
    (path): Step =>
      (directory) =>
        readdirSync(join(directory, path)).sort(),
  ),
);

/** What must agree; inode numbers and times need not. */
function summary(stats: Stats): unknown {
  const size = stats.isDirectory() ? undefined : stats.size;
  return { mode: stats.mode, links: stats.isDirectory() ? undefined : stats.nlink, size };
}

function outcome(step: Step, directory: string, handles: Handles): string {
  try {
    return JSON.stringify(step(directory, handles)) ?? 'done';
  } catch (error) {
    return error instanceof Error && 'code' in error ? `error ${error.code}` : String(error);
  }
}

const [disk, plain] = process.argv.slice(2);
const steps = fc.array(fc.oneof(handleStep, nameStep), { minLength: 20, maxLength: 80 });
let compared = 0;
let succeeded = 0;
fc.assert(
  fc.property(steps, (sequence) => {
    const places = [disk!, plain!].map((parent) => {
      const directory = mkdtempSync(join(parent, 'run-'));
      mkdirSync(join(directory, 'd'));
      const opened = ['a', 'b', 'd/a', 'd/b'].map((path) => openSync(join(directory, path), 'w+'));
      return { directory, handles: new Map(opened.entries()) };
    });
    for (const [i, step] of sequence.entries()) {
      const outcomes = places.map(({ directory, handles }) => outcome(step, directory, handles));
      compared++;
      if (!outcomes[0]!.startsWith('error')) succeeded++;
      if (outcomes[0] !== outcomes[1]) {
        const [onDisk, onPlain] = outcomes.map((text) => text.slice(0, 200));
        throw new Error(`step ${i}, ${step}: ${onDisk} on the disk, ${onPlain} on the plain one`);
      }
    }
    for (const { directory, handles } of places) {
      for (const handle of handles.values()) closeSync(handle);
      rmSync(directory, { recursive: true });
    }
  }),
  { seed: 20, numRuns: 250 },
);
process.stdout.write(`${JSON.stringify({ compared, succeeded })}\n`);
