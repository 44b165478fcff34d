/**
 * What goes into the image: found by following imports, so that no list must be kept and the
 * harness's own dependencies stay out. Layout: see the Dockerfile.
 */

import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { ClusterError, type Target } from '../cluster.ts';

/** A file on this host and where it goes, relative to the context and with `/` between parts. */
export interface ContextFile {
  readonly from: string;
  readonly to: string;
}

/** More files than this mean that `root` is not what it should be. */
const CONTEXT_FILES_MAX = 10_000;

/** The programs that run beside the server, relative to this repository. */
const TOOL_ENTRIES = [
  'harness/cluster/docker/agent/main.ts',
  'harness/disk/main.ts',
  'harness/cluster/clock-program.ts',
] as const;

/** Of a package, what no program reads. */
const DEAD_WEIGHT = /\.(d\.[cm]?ts|map|md|markdown)$/;

/**
 * The files for a target, sorted by where they go. `repository` holds the tools and, with
 * node_modules in or above it, what they import. Throws ClusterError when something is missing.
 */
export async function contextFiles(
  repository: string,
  target: Target,
): Promise<readonly ContextFile[]> {
  const tools = await moduleClosure(TOOL_ENTRIES.map((entry) => join(repository, entry)));
  const files = [
    { from: join(import.meta.dirname, 'Dockerfile'), to: 'Dockerfile' },
    { from: packageJsonOf(repository), to: 'tools/package.json' },
    ...tools.files.map((from) => ({ from, to: `tools/${slashed(relative(repository, from))}` })),
    ...(await packageFiles(tools.packages, repository)),
    ...(await serverFiles(target)),
  ];
  if (files.length > CONTEXT_FILES_MAX) {
    throw new ClusterError(`${files.length} files for the image: more than ${CONTEXT_FILES_MAX}`);
  }
  const byPlace = new Map(files.map((file) => [file.to, file]));
  return [...byPlace.values()].sort((a, b) => (a.to < b.to ? -1 : 1));
}

/** A name for exactly these contents at these places, on top of `base`: 16 hex digits. */
export async function hashContext(base: string, files: readonly ContextFile[]): Promise<string> {
  const hash = createHash('sha256').update(base);
  for (const { from, to } of files) {
    const bytes = await readFile(from);
    hash.update(`\0${to}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Copies the files into an empty directory, which then is the context. */
export async function stageContext(
  directory: string,
  files: readonly ContextFile[],
): Promise<void> {
  // The Dockerfile copies all three, and one may have no file.
  const places = new Set(files.map(({ to }) => dirname(to)).concat('deps', 'tools', 'server'));
  for (const place of places) await mkdir(join(directory, place), { recursive: true });
  for (const { from, to } of files) await copyFile(from, join(directory, to));
}

async function serverFiles(target: Target): Promise<readonly ContextFile[]> {
  if (target.kind === 'etcd') {
    if (!existsSync(target.path)) throw new ClusterError(`no etcd at ${target.path}`);
    return [{ from: target.path, to: 'server/etcd' }];
  }
  const { root } = target;
  if (!existsSync(join(root, 'src', 'main.ts'))) {
    throw new ClusterError(`no src/main.ts in ${root}`);
  }
  const sources = await filesUnder(join(root, 'src'));
  const { packages } = await moduleClosure(sources.filter((path) => path.endsWith('.ts')));
  return [
    { from: packageJsonOf(root), to: 'server/package.json' },
    ...sources.map((from) => ({ from, to: `server/${slashed(relative(root, from))}` })),
    ...(await packageFiles(packages, root)),
  ];
}

interface Closure {
  readonly files: readonly string[];
  readonly packages: ReadonlySet<string>;
}

/**
 * The entries, all that they import by relative path, and the packages that these name. A match
 * inside a comment does no harm: what does not exist is left out.
 */
async function moduleClosure(entries: readonly string[]): Promise<Closure> {
  const files = new Set(entries);
  const packages = new Set<string>();
  for (const file of files) {
    if (!existsSync(file)) throw new ClusterError(`${file} is missing`);
    for (const specifier of importsOf(await readFile(file, 'utf8'))) {
      if (specifier.startsWith('.')) {
        const path = join(dirname(file), specifier);
        if (statSync(path, { throwIfNoEntry: false })?.isFile()) files.add(path);
      } else if (!specifier.startsWith('node:')) {
        packages.add(packageName(specifier));
      }
    }
  }
  return { files: [...files], packages };
}

/** The specifiers in `from '…'`, `import '…'` and `import('…')`. */
export function importsOf(source: string): readonly string[] {
  const matches = source.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"\n]+)['"]/g);
  return [...matches].map(([, specifier]) => specifier ?? '');
}

function packageName(specifier: string): string {
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

/** The files of the packages and of all that these depend on, where Node will look for them. */
async function packageFiles(
  names: ReadonlySet<string>,
  root: string,
): Promise<readonly ContextFile[]> {
  /** By place, which is `node_modules/a` or, for one nested in another, `…/node_modules/b`. */
  const found = new Map<string, { readonly directory: string; readonly top: string }>();
  const resolve = (name: string, from: string, top: string | undefined): void => {
    const base = ancestors(from).find((dir) => existsSync(join(dir, 'node_modules', name)));
    if (base === undefined) return;
    const directory = join(base, 'node_modules', name);
    const anchor = top !== undefined && base.startsWith(top) ? top : base;
    const place = slashed(relative(anchor, directory));
    if (!found.has(place)) found.set(place, { directory, top: anchor });
  };
  for (const name of names) resolve(name, root, undefined);
  const files: ContextFile[] = [];
  for (const [place, { directory, top }] of found) {
    for (const name of await dependenciesOf(directory)) resolve(name, directory, top);
    const kept = (await filesUnder(directory)).filter((path) => !DEAD_WEIGHT.test(path));
    for (const from of kept) {
      files.push({ from, to: `deps/${place}/${slashed(relative(directory, from))}` });
    }
  }
  return files;
}

async function dependenciesOf(directory: string): Promise<readonly string[]> {
  const manifest: unknown = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'));
  if (typeof manifest !== 'object' || manifest === null) return [];
  const { dependencies, optionalDependencies } = manifest as Readonly<
    Record<string, Readonly<Record<string, string>> | undefined>
  >;
  return Object.keys({ ...dependencies, ...optionalDependencies });
}

/** All files below a directory but those of nested packages and hidden ones. */
async function filesUnder(directory: string): Promise<readonly string[]> {
  const files: string[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    if (entry.isDirectory()) files.push(...(await filesUnder(path)));
    else if (entry.isFile()) files.push(path);
  }
  return files;
}

/** The nearest package.json: it says that the sources are ES modules. */
function packageJsonOf(root: string): string {
  const home = ancestors(root).find((directory) => existsSync(join(directory, 'package.json')));
  if (home === undefined) throw new ClusterError(`no package.json in or above ${root}`);
  return join(home, 'package.json');
}

/** The directory itself and those above it, nearest first. */
function ancestors(directory: string): readonly string[] {
  const up = dirname(directory);
  return up === directory ? [directory] : [directory, ...ancestors(up)];
}

function slashed(path: string): string {
  return path.split(sep).join('/');
}
