import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, GO_PATH, SUITE_SOURCE } from './requirements.ts';

/** A folder in which the suite finds what it looks for around itself, compiled once. */
export interface Workshop {
  /** The compiled suite. */
  readonly program: string;
  /** Where it has to run: it finds certificates and a configuration two folders up. */
  readonly workingDirectory: string;
  /** Has what the suite starts: `etcd`, this project's server, and `etcdctl`. */
  readonly binaries: string;
  /** For what tests write; emptied before the suite is started. */
  readonly scratch: string;
}

const PROJECT = join(import.meta.dirname, '../..');

/** The suite starts one server with this file and waits until it is ready. */
const SAMPLE_CONFIG = [
  "name: 'default'",
  'snapshot-count: 10000',
  'heartbeat-interval: 100',
  'election-timeout: 1000',
  'listen-peer-urls: http://localhost:2380',
  'listen-client-urls: http://localhost:2379',
  'initial-advertise-peer-urls: http://localhost:2380',
  'advertise-client-urls: http://localhost:2379',
  "initial-cluster-token: 'etcd-cluster'",
  "initial-cluster-state: 'new'",
  '',
].join('\n');

/** What is there already is used again. */
export function openWorkshop(folder: string): Workshop {
  const [program, binaries] = [join(folder, 'e2e.test'), join(folder, 'bin')];
  const workingDirectory = join(folder, 'overlay/tests/e2e');
  if (!existsSync(workingDirectory)) {
    mkdirSync(workingDirectory, { recursive: true });
    cpSync(
      join(SUITE_SOURCE, 'integration/fixtures'),
      join(folder, 'overlay/integration/fixtures'),
      { recursive: true },
    );
    writeFileSync(join(folder, 'overlay/etcd.conf.yml.sample'), SAMPLE_CONFIG);
  }
  if (!existsSync(binaries)) {
    mkdirSync(binaries);
    symlinkSync(findProgram('etcdctl')!, join(binaries, 'etcdctl'));
  }
  writeFileSync(join(binaries, 'etcd'), wrapper(folder), { mode: 0o755 });
  if (!existsSync(program)) compile(program);
  return { program, workingDirectory, binaries, scratch: join(folder, 'scratch') };
}

/** Starts a copy of the server, so that nothing that is edited during the run changes it. */
function wrapper(folder: string): string {
  const copy = join(folder, 'server');
  rmSync(copy, { recursive: true, force: true });
  cpSync(join(PROJECT, 'src'), join(copy, 'src'), { recursive: true });
  cpSync(join(PROJECT, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(PROJECT, 'node_modules'), join(copy, 'node_modules'));
  return [
    '#!/bin/sh',
    // Without this, most of a start is spent on reading the sources.
    `export NODE_COMPILE_CACHE='${join(folder, 'compile-cache')}'`,
    `exec '${process.execPath}' '${join(copy, 'src/main.ts')}' "$@"`,
    '',
  ].join('\n');
}

/** The names of all tests, in the order in which they run, by the file they are in. */
export function groupsOf({ program }: Workshop): ReadonlyMap<string, string> {
  const listed = execFileSync(program, ['-test.list', '.'], { encoding: 'utf8' });
  const names = listed.split('\n').filter((line) => /^Test\w+$/.test(line));
  const source = join(SUITE_SOURCE, 'tests/e2e');
  const found = execFileSync('grep', ['-roE', '^func Test\\w+', source], { encoding: 'utf8' });
  const files = new Map(
    found.split('\n').flatMap((line) => {
      const [, file, name] = /([a-z0-9_]+)_test\.go:func (\w+)$/.exec(line) ?? [];
      return file === undefined || name === undefined ? [] : [[name, file] as const];
    }),
  );
  return new Map(names.map((name) => [name, files.get(name) ?? 'other']));
}

function compile(program: string): void {
  process.stdout.write('compiling the suite (about a minute)\n');
  execFileSync('go', ['test', '-c', '-o', program, 'go.etcd.io/etcd/tests/e2e'], {
    env: { ...process.env, GO111MODULE: 'off', GOPATH: GO_PATH, GOFLAGS: '' },
    stdio: 'inherit',
  });
}
