/**
 * Every transcript in golden/ must come out as it stands there. `UPDATE=1` rewrites them:
 * commit the difference only once you know what caused it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runTranscript } from './golden-commands.ts';

const FOLDER = join(import.meta.dirname, 'golden');
const names = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

describe('golden transcripts', () => {
  test.each(names)('%s', (name) => {
    const path = join(FOLDER, name);
    const before = readFileSync(path, 'utf8');
    const after = runTranscript(before);
    if (process.env.UPDATE === '1') writeFileSync(path, after);
    else expect(after).toBe(before);
  });
});
