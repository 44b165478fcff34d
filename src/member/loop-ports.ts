import type { Clock } from '../ports/clock.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import type { Log } from '../ports/log.ts';
import type { Network } from '../ports/network.ts';
import type { Message } from '../raft/message.ts';
import type { MemberFact } from './input.ts';
import type { Storage } from './storage.ts';

/** What the loop of a member (run.ts) acts on: the host's or the simulator's. */
export interface LoopPorts {
  readonly clock: Clock;
  readonly network: Network<Message>;
  readonly storage: Storage;
  readonly log: Log;
  readonly observer: MemberObserver;
  /** Of tests only. */
  readonly failpoints?: Failpoints | undefined;
  /** Called at most a few times; ends the process (host) or the member (simulation). */
  readonly onFatal: (what: string, cause: unknown) => void;
}

/** Told what happens, for logs and metrics; nothing depends on it. */
export interface MemberObserver {
  onFact(fact: MemberFact): void;
  /** A proposal was refused or given up. */
  onProposalFailed(): void;
  /** A read point was not had. */
  onReadFailed?(): void;
}
