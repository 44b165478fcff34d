import { join } from 'node:path';
import { type DirectoryLock, lockDirectory } from '../host/directory-lock.ts';
import { type RecoveredMember, type RecoverOptions, recover } from '../member/recover.ts';
import type { Clock } from '../ports/clock.ts';
import { type Disk, DiskError } from '../ports/disk.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import type { Log } from '../ports/log.ts';
import { SEGMENT_BYTES_MAX } from '../wal/wal.ts';
import { readMark } from './directory-mark.ts';
import { StartError } from './exit-code.ts';
import { type Identity, type IdentityOptions, identify } from './identity.ts';
import type { Settings } from './settings.ts';

/** The data directory of a member: locked, recognised, read. */

export interface Directories {
  readonly wal: string;
  readonly snap: string;
}

export function directoriesOf({ dataDir, walDir }: Settings): Directories {
  return { wal: walDir ?? join(dataDir, 'member', 'wal'), snap: join(dataDir, 'member', 'snap') };
}

/** Throws {@link StartError} if another process has it. Undefined where nothing can be locked. */
export async function lockOrRefuse(
  { dataDir }: Settings,
  disk: Disk,
  log: Log,
): Promise<DirectoryLock | undefined> {
  try {
    await disk.makeDirectory(dataDir);
  } catch (error) {
    throw unusable(error);
  }
  const lock = await lockDirectory(dataDir);
  if (lock === 'taken') {
    throw new StartError(
      'dataDir',
      `data-dir: another process uses ${dataDir}; stop it or choose another directory`,
    );
  }
  if (lock !== 'unsupported') return lock;
  log.warn('this system cannot lock the data directory; start one member on it only', { dataDir });
  return undefined;
}

export interface OpenParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly onSync: (latencyNs: number) => void;
  /** For asking the other members who this one is. */
  readonly tls: IdentityOptions['tls'];
  readonly failpoints: Failpoints | undefined;
}

/** Throws {@link StartError} on a directory that does not fit, is damaged, or lost something. */
export async function openDirectory(
  settings: Settings,
  directories: Directories,
  parts: OpenParts,
): Promise<RecoveredMember> {
  try {
    const isFresh = !(await hasLog(parts.disk, directories.wal));
    const found = await readMark(parts.disk, settings.dataDir);
    const mark = isFresh || settings.forceNewCluster ? undefined : found;
    if (mark?.kind === 'removed') throw new StartError('dataDir', mark.text);
    const identity = isFresh ? await identityOf(settings, parts.tls) : configured(settings);
    const hasLostEntries = mark?.kind === 'lost-entries';
    const options = recoverOptions(settings, { directories, parts, identity });
    const recovered = await recover({ ...options, hasLostEntries });
    if (!recovered.ok) throw new StartError('dataDir', recovered.error);
    const notes = [...recovered.value.notes, ...(hasLostEntries ? [mark.text] : [])];
    return { ...recovered.value, notes };
  } catch (error) {
    throw unusable(error);
  }
}

function recoverOptions(
  settings: Settings,
  {
    directories,
    parts,
    identity,
  }: {
    readonly directories: Directories;
    readonly parts: OpenParts;
    readonly identity: Identity;
  },
): RecoverOptions {
  return {
    disk: parts.disk,
    clock: parts.clock,
    onSync: parts.onSync,
    failpoints: parts.failpoints,
    walDirectory: directories.wal,
    snapDirectory: directories.snap,
    segmentBytesMax: SEGMENT_BYTES_MAX,
    segmentsKept: settings.retention.walsMax,
    memberId: identity.memberId,
    clusterId: identity.clusterId,
    initialMembers: identity.members,
    fresh: identity.fresh,
    forceNewCluster: settings.forceNewCluster,
  };
}

async function hasLog(disk: Disk, directory: string): Promise<boolean> {
  try {
    return (await disk.list(directory)).some((name) => name.endsWith('.wal'));
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return false;
    throw error;
  }
}

async function identityOf(settings: Settings, tls: IdentityOptions['tls']): Promise<Identity> {
  const { self, clusterId, initialMembers, initialClusterState: state } = settings;
  const identity = await identify({ self, clusterId, initialMembers, state, tls });
  if (identity.ok) return identity.value;
  throw new StartError('dataDir', identity.error);
}

/** Who the settings say this is; a log that is there knows better. */
function configured({ self, clusterId, initialMembers, initialClusterState }: Settings): Identity {
  const members = initialMembers.map((member) => ({ ...member, clientUrls: [], isLearner: false }));
  const fresh = initialClusterState === 'new' ? 'newCluster' : 'joinsCluster';
  return { memberId: self.id, clusterId, members, fresh };
}

function unusable(error: unknown): unknown {
  // A full disk is not a wrong setting.
  if (!(error instanceof DiskError) || error.code === 'ENOSPC') return error;
  return new StartError(
    'dataDir',
    `data-dir: ${error.path} cannot be used (${error.code}); check that it exists and is writable`,
    error,
  );
}
