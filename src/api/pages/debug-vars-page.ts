import { readFileSync } from 'node:fs';
import { formatId } from '../../lib/ids.ts';
import { jsonPage, type Page } from './page.ts';
import type { PagesSource } from './pages-source.ts';

/**
 * `/debug/vars`, under the keys that etcd has. `memstats` has only those of Go's names that mean
 * something here, in bytes: the JavaScript heap, and what the process takes in all.
 */
export function debugVarsPage(source: PagesSource): Page {
  const { heapUsed, heapTotal, rss } = process.memoryUsage();
  return jsonPage(200, {
    cmdline: process.argv,
    file_descriptor_limit: fileDescriptorLimit() ?? null,
    memstats: { Alloc: heapUsed, HeapAlloc: heapUsed, HeapSys: heapTotal, Sys: rss },
    'raft.status': raftStatus(source),
  });
}

function raftStatus(source: PagesSource): object {
  const { memberId, leader, term, raftIndex, appliedIndex } = source.status();
  return {
    id: formatId(memberId),
    term,
    commit: raftIndex,
    applied: appliedIndex,
    lead: leader === undefined ? '0' : formatId(leader),
  };
}

/** The soft limit; `undefined` where the system does not tell. */
export function fileDescriptorLimit(): number | undefined {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))!;
    return Number(limit);
  } catch {
    // No Linux, or no limit.
    return undefined;
  }
}
