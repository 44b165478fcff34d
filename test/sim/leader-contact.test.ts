import { expect, test } from 'vitest';
import { LeaderContact } from '../../harness/sim/leader-contact.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import { craft, makeLeader } from './crafted-member.ts';

/** Of four election timeouts; one more without an answer is too many. */
const SILENT_BEATS_MAX = 40;

test('when the quorum is another one, the silence of its members counts from there', () => {
  const contact = new LeaderContact({ heartbeatMs: 100, electionMs: 1_000 });
  const { core } = makeLeader(craft({ id: 1n, term: 4 }));
  const { role } = core;
  if (role.type !== 'leader') throw new Error('it leads');
  const beat = (): string | undefined => {
    role.heartbeatElapsedTicks = 1;
    contact.tooLong(core);
    role.heartbeatElapsedTicks = 0;
    return contact.tooLong(core);
  };
  for (let beats = 0; beats < 2 * SILENT_BEATS_MAX; beats++) {
    expect(beat()).toBeUndefined();
    contact.delivered({ type: 'MsgHeartbeatResp', from: 2n, to: 1n, term: 5, context: 0 });
  }
  // n2, the only one that answered, was removed; n3 has been silent all the time.
  core.conf = simpleConf([1n, 3n]);
  for (let beats = 0; beats < SILENT_BEATS_MAX; beats++) expect(beat()).toBeUndefined();
  expect(beat()).toContain('leads term 5, and 40 heartbeats went unanswered');
});
