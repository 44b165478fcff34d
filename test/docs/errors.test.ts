/**
 * The table in docs/errors.md is the one in the source, rendered. `UPDATE=1` rewrites it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assert } from '../../src/lib/assert.ts';
import { ALL_ERRORS } from '../../src/service/errors.ts';
import { GrpcCode } from '../../src/wire/grpc-code.ts';

const PATH = join(import.meta.dirname, '../../docs/errors.md');
const BEGIN = '<!-- table: begin -->\n';
const END = '<!-- table: end -->\n';

test('docs/errors.md has every error', () => {
  const before = readFileSync(PATH, 'utf8');
  const after = withTable(before, renderTable());
  if (process.env.UPDATE === '1') writeFileSync(PATH, after);
  else expect(before).toBe(after);
});

/** By message, which is what a user has in hand. */
function renderTable(): string {
  const rows = ALL_ERRORS.toSorted((a, b) => (a.message < b.message ? -1 : 1)).map(
    ({ code, message, definite }) =>
      `| \`${message}\` | ${codeName(code)} | ${definite ? 'yes' : 'no'} |`,
  );
  return ['| message | gRPC code | definite |', '|---|---|---|', ...rows, ''].join('\n');
}

/** As gRPC's Go library and etcdctl print it. */
function codeName(code: number): string {
  const found = Object.entries(GrpcCode).find(([, number]) => number === code);
  assert(found !== undefined, `no gRPC code ${code}`);
  const [name] = found;
  if (name === 'cancelled') return 'Canceled';
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function withTable(text: string, table: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  assert(begin >= 0 && end > begin, `${PATH} lacks the marks of its table`);
  return text.slice(0, begin + BEGIN.length) + table + text.slice(end);
}
