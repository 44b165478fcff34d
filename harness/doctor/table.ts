/** The doctor's findings, for people and for programs. */

import type { FaultKind } from '../nemesis/fault.ts';
import { FAULT_KINDS } from '../nemesis/packages.ts';
import type { Finding, ProbedBackend } from './probe.ts';

/** Changes when a reader of the JSON would have to. */
export const REPORT_FORMAT = 'storm-doctor-1';

export type DoctorScope = ProbedBackend | 'all';

/** What `--json` prints. */
export interface DoctorReport {
  readonly format: typeof REPORT_FORMAT;
  readonly cluster: DoctorScope;
  /** Operating system and its kernel's release, architecture, version of Node. */
  readonly system: string;
  readonly mechanisms: readonly Finding[];
}

const MECHANISM_WIDTH = 26;
const WORKS_WIDTH = 5;
const FAULTS_WIDTH = 20;
const COLUMNS_LEAST = 90;
const GAP = '  ';
const NONE = '-';
const HEAD = ['mechanism', 'works', 'faults', 'measured, or why not'] as const;

/** A table for each backend; `columns`: width of the terminal, below 90 counts as 90. */
export function renderTable(findings: readonly Finding[], columns: number): string[] {
  const backends = [...new Set(findings.map(({ backend }) => backend))];
  return backends.flatMap((backend, index) => {
    const own = findings.filter((finding) => finding.backend === backend);
    const works = own.filter((finding) => finding.works).length;
    const title = `${backend}: ${works} of ${own.length} mechanisms work`;
    return [...(index > 0 ? [''] : []), title, ...tableOf(own, columns)];
  });
}

export function renderJson(report: DoctorReport): string {
  return JSON.stringify(report, undefined, 2);
}

function tableOf(findings: readonly Finding[], columns: number): string[] {
  const fixed = MECHANISM_WIDTH + WORKS_WIDTH + FAULTS_WIDTH + 3 * GAP.length;
  const detailWidth = Math.max(columns, COLUMNS_LEAST) - fixed;
  const widths = [MECHANISM_WIDTH, WORKS_WIDTH, FAULTS_WIDTH, detailWidth];
  return [HEAD, ...findings.map(cellsOf)].flatMap((cells) => layOut(cells, widths));
}

function cellsOf(finding: Finding): readonly string[] {
  const { mechanism, works, detail, fallback } = finding;
  const words = works ? detail : `${detail}. Instead: ${fallback}`;
  return [mechanism, works ? 'yes' : 'no', faultsInWords(finding.usedBy), words];
}

/** All kinds that begin alike are one word: `partition-*`. */
export function faultsInWords(kinds: readonly FaultKind[]): string {
  if (kinds.length === 0) return NONE;
  if (kinds.length === FAULT_KINDS.length) return 'all';
  const words = kinds.map((kind) => {
    const start = `${kind.split('-')[0]}-`;
    const alike = FAULT_KINDS.filter((other) => other.startsWith(start));
    return alike.length > 2 && alike.every((other) => kinds.includes(other)) ? `${start}*` : kind;
  });
  return [...new Set(words)].join(', ');
}

/** One row as lines: cells that are too long are wrapped between words. */
function layOut(cells: readonly string[], widths: readonly number[]): string[] {
  const wrapped = cells.map((cell, at) => wrap(cell, widths[at]!));
  const height = Math.max(...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    wrapped
      .map((lines, at) => (lines[line] ?? '').padEnd(widths[at]!))
      .join(GAP)
      .trimEnd(),
  );
}

/** Words longer than the width stand alone and are too wide. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines;
}
