import { formatId } from '../lib/ids.ts';
import type { StartedMember } from '../member/started-member.ts';
import type { Clock } from '../ports/clock.ts';
import { findInitialCorruption } from '../service/corruption.ts';
import { StartError } from './exit-code.ts';
import type { Settings } from './settings.ts';

/** Until the others can be asked; who is away then is not waited for. */
const PEERS_MS_MAX = 5_000;
const LOOK_MS = 50;

/**
 * Compares this member's data with that of the others before it serves anybody. Throws
 * {@link StartError} if they differ.
 */
export async function refuseCorrupt(
  member: StartedMember,
  settings: Settings,
  clock: Clock,
): Promise<void> {
  const sleep = (delayMs: number): Promise<void> =>
    new Promise((resolve) => clock.after(delayMs, resolve));
  const { memberId, raftIndex } = member.status();
  const isReady = (): boolean =>
    member.status().appliedIndex >= raftIndex &&
    member.members().every(({ id }) => member.isConnectedFor(id, 0));
  for (let waitedMs = 0; waitedMs < PEERS_MS_MAX && !isReady(); waitedMs += LOOK_MS) {
    await sleep(LOOK_MS);
  }
  const askTimeoutMs = 5_000 + 2 * settings.electionMs;
  const pause = (): Promise<void> => new Promise((resolve) => clock.soon(resolve));
  const found = await findInitialCorruption(member, { pause, askTimeoutMs });
  if (found === undefined) return;
  member.halt();
  throw new StartError(
    'dataDir',
    `data-dir: ${found}; on another member run 'etcdctl member remove ${formatId(memberId)}' and 'etcdctl member add ${settings.name} --peer-urls=${settings.self.peerUrls.join()}', delete the directory, then start this one with --initial-cluster-state existing`,
  );
}
