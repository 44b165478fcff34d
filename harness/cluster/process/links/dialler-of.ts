/**
 * Who is dialling, where the bytes do not tell: the member whose process has the other end of the
 * connection. From Linux's /proc.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';

/** Columns of /proc/net/tcp, whose rows begin with a number of their own. */
const [LOCAL, REMOTE, INODE] = [1, 2, 9];

/** Looks for all that wait at once: dials come together, and a look at everything takes its time. */
export class Diallers {
  readonly #runId: string;
  /** Members by the pids of their processes, as far as they were found. */
  #members = new Map<string, string>();
  /** Processes that were there before any member. */
  readonly #others: ReadonlySet<string>;
  #waiting: { readonly socket: Ends; readonly resolve: (name: string | undefined) => void }[] = [];

  /** Call before members start. */
  constructor(runId: string) {
    this.#runId = runId;
    this.#others = new Set(listPids());
  }

  /** Resolves with undefined if it is not a member of the run, or gone already. */
  of(socket: Ends): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#waiting.push({ socket, resolve });
    if (this.#waiting.length === 1) setImmediate(() => this.#look());
    return promise;
  }

  #look(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const rows = readText('/proc/net/tcp').split('\n');
    const inodes = waiting.map(({ socket: { remotePort: from, localPort: to } }) =>
      from === undefined || to === undefined ? undefined : inodeOf(rows, { from, to }),
    );
    let owners = this.#owners();
    if (inodes.some((inode) => inode !== undefined && !owners.has(inode))) {
      this.#find();
      owners = this.#owners();
    }
    for (const [at, { resolve }] of waiting.entries()) resolve(owners.get(inodes[at] ?? ''));
  }

  /** Members by the sockets that they have. */
  #owners(): ReadonlyMap<string, string> {
    const owners = new Map<string, string>();
    for (const [pid, name] of this.#members) {
      for (const inode of socketsOf(pid)) owners.set(inode, name);
    }
    return owners;
  }

  #find(): void {
    const pids = listPids().filter((pid) => !this.#others.has(pid));
    const named = pids.map(
      (pid) => [pid, memberName(readText(`/proc/${pid}/cmdline`), this.#runId)] as const,
    );
    this.#members = new Map(
      named.filter((pair): pair is [string, string] => pair[1] !== undefined),
    );
  }
}

type Ends = Pick<Socket, 'remotePort' | 'localPort'>;

function listPids(): string[] {
  return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
}

/** Of the end of a loopback connection that has the port `from`. */
export function inodeOf(
  rows: readonly string[],
  { from, to }: { readonly from: number; readonly to: number },
): string | undefined {
  const [local, remote] = [from, to].map((port) => `0100007F:${hex(port)}`);
  for (const row of rows) {
    if (!row.includes(local!)) continue;
    const fields = row.trim().split(/\s+/);
    if (fields[LOCAL!] === local && fields[REMOTE!] === remote) return fields[INODE!];
  }
  return undefined;
}

/** Of a server of the run, by its command line; its disk has the same words in its own. */
export function memberName(commandLine: string, runId: string): string | undefined {
  const words = commandLine.split('\0');
  if (!words.includes(`--initial-cluster-token=${runId}`)) return undefined;
  return words.find((word) => word.startsWith('--name='))?.slice('--name='.length);
}

function socketsOf(pid: string): string[] {
  let descriptors: string[];
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
  return descriptors.flatMap((fd) => {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
    return inode === undefined ? [] : [inode];
  });
}

/** Processes and descriptors may go while they are looked at. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}
