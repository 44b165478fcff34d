/** From a matrix to its cells, in an order and with names that depend on the matrix alone. */
import { createHash } from 'node:crypto';
import { assert } from '../../src/lib/assert.ts';
import type { RawRunOptions } from '../options.ts';
import {
  AXES,
  type Axis,
  CELLS_MAX,
  cellCount,
  type Matrix,
  NO_DISK,
  NO_TLS,
  NO_WAN,
} from './matrix.ts';

/** One storm of a campaign. */
export interface Cell {
  /** Of what it does, not of where it stands: other cells may come and go around it. */
  readonly id: string;
  /** Every option of `storm run`, defaults too. */
  readonly options: RawRunOptions & { readonly target: string; readonly faults: string };
}

/** This process takes every `count`-th cell, beginning with the `index`-th, from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** Of the readable part of an id; the rest is a digest. */
const FAULTS_CHARACTERS_MAX = 40;
/** 48 bits: no two of {@link CELLS_MAX} cells share them, and it is checked. */
const DIGEST_CHARACTERS = 12;

/** All cells; at most {@link CELLS_MAX}. */
export function expandMatrix(matrix: Matrix): Cell[] {
  assert(cellCount(matrix) <= CELLS_MAX, 'the matrix was checked');
  let choices: Partial<Record<Axis, string>>[] = [{}];
  for (const axis of AXES) {
    choices = choices.flatMap((choice) =>
      matrix.axes[axis].map((value) => ({ ...choice, [axis]: value })),
    );
  }
  const cells = choices.map((choice) => cellOf(choice as Record<Axis, string>, matrix));
  assert(new Set(cells.map(({ id }) => id)).size === cells.length, 'ids are unique');
  return cells;
}

/** The cells of one shard; every cell is in exactly one of them. */
export function cellsOfShard(cells: readonly Cell[], { index, count }: Shard): Cell[] {
  return cells.filter((_, at) => at % count === index - 1);
}

function cellOf(choice: Record<Axis, string>, { require, server }: Matrix): Cell {
  const { targets: target, faults, wan, disk, tls, seeds: seed } = choice;
  const kinds = faults.split(',');
  const required = require.filter((kind) => kinds.includes(kind));
  const options = {
    target,
    members: choice.members,
    faults,
    seed,
    timeLimit: choice.durations,
    cluster: choice.cluster,
    concurrency: choice.concurrency,
    rate: choice.rate,
    heartbeatInterval: choice['heartbeat-interval'],
    electionTimeout: choice['election-timeout'],
    ...(wan !== NO_WAN && { wan }),
    ...(disk !== NO_DISK && { disk }),
    ...(tls !== NO_TLS && { tls }),
    ...(required.length > 0 && { require: required }),
    ...(server !== null && target === 'stormraft' && { server }),
  };
  return { id: idOf(options), options };
}

/** Fit for the name of a directory. */
function idOf(options: Cell['options']): string {
  const digest = createHash('sha256').update(JSON.stringify(options)).digest('hex');
  const target = options.target.split(':')[0];
  const faults = options.faults.replaceAll(',', '+').slice(0, FAULTS_CHARACTERS_MAX);
  const words = [target, `m${options.members}`, faults, `s${options.seed}`];
  return [...words, digest.slice(0, DIGEST_CHARACTERS)].join('-').replaceAll(/[^\w+-]/g, '_');
}
