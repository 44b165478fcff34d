/**
 * Who may import whom: a folder may import itself and what stands here. The same table is
 * printed in docs/ARCHITECTURE.md; test/tidy.test.ts holds both, and the code, to it.
 */

const CORE = ['src/lib', 'src/ports'];
const STATE = [...CORE, 'src/raft', 'src/mvcc', 'src/lease', 'src/auth'];
const WIRE = [...STATE, 'src/wire'];
const STORAGE = [...WIRE, 'src/wal', 'src/snap'];
const MEMBER = [...STORAGE, 'src/member'];
const SERVICE = [...MEMBER, 'src/service'];
const CHECKERS = ['src/lib', 'src/ports', 'checkers'];
const WORKLOADS = [...CHECKERS, 'src/mvcc', 'src/auth', 'src/wire', 'src/client', 'workloads'];

export const IMPORT_TABLE: Readonly<Record<string, readonly string[]>> = {
  'src/lib': [],
  'src/ports': ['src/lib'],
  'src/raft': CORE,
  'src/mvcc': CORE,
  'src/lease': CORE,
  'src/auth': CORE,
  'src/wire': STATE,
  'src/wal': WIRE,
  'src/snap': WIRE,
  'src/member': STORAGE,
  'src/service': MEMBER,
  'src/http2': ['src/lib'],
  'src/host': CORE,
  'src/transport': SERVICE,
  'src/api': [...SERVICE, 'src/http2'],
  'src/client': SERVICE,
  'src/server': [...SERVICE, 'src/host', 'src/transport', 'src/api'],
  'src/main.ts': ['src/server'],
  checkers: ['src/lib', 'src/ports'],
  workloads: WORKLOADS,
  reports: CHECKERS,
  harness: [...WORKLOADS, ...SERVICE, 'src/host', 'reports'],
};
