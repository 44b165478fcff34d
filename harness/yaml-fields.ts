/** Files of named fields that users write, YAML or JSON: what is wrong is told in one line. */
import { readFileSync, statSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { StormError } from './exit-code.ts';

const FILE_BYTES_MAX = 1024 * 1024;

export type Fields = { readonly [name: string]: unknown };

/** The text of the file that `option` names. Throws {@link StormError}: unreadable, or too large. */
export function readFieldsFile(option: string, path: string): string {
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw new Error(`more than ${FILE_BYTES_MAX} bytes`);
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StormError(`${option} ${path}: ${reason}; give a YAML or JSON file`, { cause });
  }
}

/** `file`: its name, for messages. Throws {@link StormError}: no YAML, or a field not `known`. */
export function parseFields(file: string, text: string, known: readonly string[]): Fields {
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem !== undefined) {
    const [first = 'not YAML'] = problem.message.split('\n');
    throw new StormError(`${file}: ${first.replace(/:$/, '')}; give YAML or JSON`);
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (cause) {
    // Aliases without an anchor, or so many that they would fill the memory.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StormError(`${file}: ${reason}; give YAML without it`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new StormError(`${file}: no fields; use ${known.join(', ')}`);
  }
  const stray = Object.keys(value).find((name) => !known.includes(name));
  if (stray !== undefined) {
    throw new StormError(`${file}: ${stray}: unknown field; use ${known.join(', ')}`);
  }
  return value as Fields;
}
