/** What is measured at a time: one operation with a number of requests in flight. */
import { StormError } from '../exit-code.ts';
import type { Operation } from './request-template.ts';

export interface Cell {
  /** As asked for: `put:100`. */
  readonly name: string;
  readonly operation: Operation;
  readonly connections: number;
  /** Requests in flight on each connection. */
  readonly streams: number;
}

/** The busiest first: a young process that is asked little stays slow for long. */
export const CELLS_DEFAULT = 'put:1000,put:100,put:1,range:1000,range:100,range:1';
const CELLS_MAX = 32;
const IN_FLIGHT_MAX = 10_000;
const CONNECTIONS_MAX = 2_000;
const STREAMS_DEFAULT = 10;

/**
 * Comma-separated `put:N` or `range:N` with N requests in flight, ten to a connection if N is a
 * multiple; or `put:CxS`, C connections with S each. Throws {@link StormError}.
 */
export function parseCells(field: string, text: string): readonly Cell[] {
  const cells = text.split(',').map((each) => parseCell(field, each.trim()));
  if (cells.length > CELLS_MAX) throw new StormError(`${field}: give at most ${CELLS_MAX} cells`);
  return [...new Map(cells.map((cell) => [cell.name, cell])).values()];
}

function parseCell(field: string, text: string): Cell {
  const [, operation, first = '', second] =
    /^(put|range):(\d{1,5})(?:x(\d{1,5}))?$/.exec(text) ?? [];
  if (operation !== 'put' && operation !== 'range') {
    throw new StormError(`${field} ${text}: give put:N, range:N, put:CxS or range:CxS`);
  }
  const [connections, streams] =
    second === undefined ? split(Number(first)) : [Number(first), Number(second)];
  const inFlight = connections * streams;
  if (inFlight < 1 || inFlight > IN_FLIGHT_MAX || connections > CONNECTIONS_MAX) {
    const limits = `1 to ${IN_FLIGHT_MAX} in flight on at most ${CONNECTIONS_MAX} connections`;
    throw new StormError(`${field} ${text}: give ${limits}`);
  }
  return { name: text, operation, connections, streams };
}

function split(inFlight: number): [number, number] {
  if (inFlight % STREAMS_DEFAULT !== 0) return [inFlight, 1];
  return [inFlight / STREAMS_DEFAULT, STREAMS_DEFAULT];
}
