import type { StartedMember } from '../member/started-member.ts';
import type { Timing } from '../member/timing.ts';
import type { Clock } from '../ports/clock.ts';

/**
 * Brings the first election of a start forward (etcd's --initial-election-tick-advance): the
 * wait before it protects a leader that may exist, and right after a start most of it protects
 * nobody. A member alone has none to wait for, whatever the setting; the others wait until they
 * are connected to a majority, and keep two heartbeats for a leader to make itself known.
 */
export function bringElectionForward(
  member: Pick<StartedMember, 'members' | 'status' | 'isConnectedFor' | 'skipElectionTicks'>,
  clock: Clock,
  options: { readonly timing: Timing; readonly isWanted: boolean },
): void {
  const { electionTicks, heartbeatTicks } = options.timing;
  if (member.members().length === 1) {
    member.skipElectionTicks(electionTicks - heartbeatTicks);
    return;
  }
  if (!options.isWanted) return;
  let looksLeft = CONNECT_WAIT_MS / LOOK_INTERVAL_MS;
  const look = () => {
    looksLeft -= 1;
    if (member.status().leader !== undefined || looksLeft <= 0) return;
    const voters = member.members().filter(({ isLearner }) => !isLearner);
    const connected = voters.filter(({ id }) => member.isConnectedFor(id, 0)).length;
    if (connected <= voters.length / 2) clock.after(LOOK_INTERVAL_MS, look);
    else member.skipElectionTicks(electionTicks - 2 * heartbeatTicks);
  };
  clock.after(LOOK_INTERVAL_MS, look);
}

/** Later than this the ordinary timeout has passed anyway. */
const CONNECT_WAIT_MS = 5_000;
const LOOK_INTERVAL_MS = 50;
