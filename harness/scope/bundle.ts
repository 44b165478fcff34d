/** The page's programs: each entry in browser/ with all that it imports, as one script. */
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { assert } from '../../src/lib/assert.ts';

export type ScopeProgram = 'player-main' | 'live-main';

/** Bundles from wherever this file is itself: the sources, or what was emitted from them. */
export async function bundleProgram(program: ScopeProgram): Promise<string> {
  const here = fileURLToPath(import.meta.url);
  const input = join(here, '..', 'browser', program + extname(here));
  const bundle = await rolldown({ input, platform: 'browser', logLevel: 'silent' });
  try {
    const { output } = await bundle.generate({ format: 'iife', minify: true });
    assert(output.length === 1, `${program} is more than one script`);
    const { code } = output[0];
    assert(!/<\/script/i.test(code), `${program} would end its element in a page`);
    return code;
  } finally {
    await bundle.close();
  }
}
