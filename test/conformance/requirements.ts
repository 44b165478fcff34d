import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian puts the sources of Go libraries. */
export const GO_PATH = '/usr/share/gocode';
export const SUITE_SOURCE: string = join(GO_PATH, 'src/go.etcd.io/etcd');

/** What the suite calls, and the package that has it. */
const PROGRAMS: Readonly<Record<string, string>> = {
  go: 'golang-go',
  etcdctl: 'etcd-client',
  gawk: 'gawk',
  curl: 'curl',
  ip: 'iproute2',
  unshare: 'util-linux',
};

/** The path of a program, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** The Debian packages that are not there; empty: all is. */
export function missingPackages(): string[] {
  const missing = Object.entries(PROGRAMS)
    .filter(([program]) => findProgram(program) === undefined)
    .map(([, name]) => name);
  if (!existsSync(join(SUITE_SOURCE, 'tests/e2e'))) missing.push('golang-etcd-server-dev');
  return missing;
}
