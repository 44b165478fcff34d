/**
 * `campaign.jsonl`: a head that holds the matrix, then a line for each cell that ended. It is only
 * appended to, so a campaign that was cut off, even in the middle of a line, can go on. When a cell
 * has several lines the last one counts; when there are several heads the last one does.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { StormError } from '../exit-code.ts';
import { readLines } from '../line-file.ts';
import type { Cell, Shard } from './cell.ts';
import { isMatrix, type Matrix } from './matrix.ts';

export const CAMPAIGN_FORMAT = 'storm-campaign/1';
export const CAMPAIGN_FILE = 'campaign.jsonl';

/** `none`: the run ended without one. */
export const VERDICTS = ['valid', 'invalid', 'unknown', 'none'] as const;
export type CellVerdict = (typeof VERDICTS)[number];

export interface CampaignHead {
  readonly format: typeof CAMPAIGN_FORMAT;
  readonly matrix: Matrix;
  /** Cells of the whole matrix. */
  readonly cells: number;
  /** Whose results these are; `merged`: of `storm merge`. */
  readonly part: Shard | 'merged';
}

export interface CellResult {
  readonly id: string;
  /** As in the matrix file. */
  readonly target: string;
  /** Of our code, the target, node, docker: as far as the run wrote them down. */
  readonly versions: { readonly [name: string]: string };
  readonly verdict: CellVerdict;
  readonly exitCode: number;
  readonly seconds: number;
  /** Relative to the directory of this file; null: the run did not get as far. */
  readonly runDirectory: string | null;
  /** The command that runs this cell again. */
  readonly again: string;
  /** Why it is not valid; empty when it is. */
  readonly why: string;
  /** The Docker host that it ran on, where the matrix file names some. */
  readonly host?: string;
  readonly options: Cell['options'];
}

export interface SavedCampaign {
  readonly head: CampaignHead;
  /** The last result of each cell. */
  readonly results: ReadonlyMap<string, CellResult>;
}

/** Undefined when there is no such file, or nothing in it. Throws {@link StormError}. */
export function readCampaign(directory: string): SavedCampaign | undefined {
  const path = join(directory, CAMPAIGN_FILE);
  if (!existsSync(path)) return undefined;
  let head: CampaignHead | undefined;
  const results = new Map<string, CellResult>();
  const whole = endOfLines(path);
  let at = 0;
  let readBytes = 0;
  for (const line of readLines(path)) {
    at += 1;
    readBytes += Buffer.byteLength(line) + 1;
    if (readBytes > whole) break;
    const record = parseLine(path, at, line);
    if ('format' in record) head = record;
    else results.set(record.id, record);
  }
  if (head === undefined && results.size > 0) throw garbled(path, 1, 'no head');
  return head === undefined ? undefined : { head, results };
}

/** For appending: what was cut off in the middle of a line goes. Throws {@link StormError}. */
export class CampaignWriter {
  readonly #path: string;

  constructor(directory: string) {
    this.#path = join(directory, CAMPAIGN_FILE);
    this.#try(() => {
      const file = openSync(this.#path, 'a+');
      try {
        ftruncateSync(file, endOfLines(this.#path));
      } finally {
        closeSync(file);
      }
    });
  }

  /** On its way to the disk when this returns: an end of the process loses nothing. */
  append(record: CampaignHead | CellResult): void {
    this.#try(() => appendFileSync(this.#path, `${JSON.stringify(record)}\n`));
  }

  #try(write: () => void): void {
    try {
      write();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new StormError(`${this.#path}: ${reason}; make room, then run it again`, { cause });
    }
  }
}

const TAIL_BYTES = 64 * 1024;

/** Size up to and with the last line feed. */
function endOfLines(path: string): number {
  const file = openSync(path, 'r');
  try {
    const chunk = Buffer.allocUnsafe(TAIL_BYTES);
    for (let end = statSync(path).size; end > 0; end = Math.max(0, end - TAIL_BYTES)) {
      const begin = Math.max(0, end - TAIL_BYTES);
      const sizeBytes = readSync(file, chunk, 0, end - begin, begin);
      const feed = chunk.subarray(0, sizeBytes).lastIndexOf(0x0a);
      if (feed >= 0) return begin + feed + 1;
    }
    return 0;
  } finally {
    closeSync(file);
  }
}

function parseLine(path: string, at: number, line: string): CampaignHead | CellResult {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    throw garbled(path, at, 'not JSON');
  }
  if (typeof record !== 'object' || record === null) throw garbled(path, at, 'not an object');
  if ('format' in record) {
    if (record.format !== CAMPAIGN_FORMAT) {
      throw garbled(path, at, `field format: not ${CAMPAIGN_FORMAT}`);
    }
    if (!('matrix' in record) || !isMatrix(record.matrix)) throw garbled(path, at, 'field matrix');
    return record as CampaignHead;
  }
  const { id, verdict, options } = record as Partial<Record<keyof CellResult, unknown>>;
  if (typeof id !== 'string') throw garbled(path, at, 'field id');
  if (!VERDICTS.some((each) => each === verdict)) {
    throw garbled(path, at, `field verdict: not one of ${VERDICTS.join(', ')}`);
  }
  if (typeof options !== 'object' || options === null) throw garbled(path, at, 'field options');
  return record as CellResult;
}

function garbled(path: string, at: number, what: string): StormError {
  return new StormError(`${path} line ${at}: ${what}; restore the file or begin anew`);
}
