import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StormError } from '../exit-code.ts';
import type { Mutant } from './mutant.ts';

/** What a copy needs to run as a server, in a container or a process, and to simulate itself. */
const COPIED = [
  'src',
  'workloads',
  'checkers',
  'reports',
  'harness',
  'package.json',
  'package-lock.json',
] as const;

/**
 * Copies the sources into a new directory below `parent` and plants the bug there. The copy runs
 * by itself: `storm run --server DIR`, or as a worker of simulations. Throws {@link StormError}
 * if an edit does not fit, and returns the directory.
 */
export async function plant(mutant: Mutant, root: string, parent: string): Promise<string> {
  if (!existsSync(join(root, 'package-lock.json'))) {
    throw new StormError(`mutants: ${root} is no checkout of the repository; run it in one`);
  }
  const directory = await mkdtemp(join(parent, `${mutant.name}-`));
  // A link to the installed packages is enough.
  for (const name of COPIED) {
    await cp(join(root, name), join(directory, name), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
  for (const { file, find, replace } of mutant.edits) {
    const path = join(directory, file);
    const text = await readFile(path, 'utf8');
    const places = text.split(find).length - 1;
    if (places !== 1) {
      throw new StormError(
        `mutant ${mutant.name}: its edit fits ${places} places in ${file}, not 1`,
      );
    }
    await writeFile(
      path,
      text.replace(find, () => replace),
    );
  }
  return directory;
}
