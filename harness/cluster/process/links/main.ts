/**
 * The links process: a TCP proxy in front of every member's peer port. A process of its own, so
 * that neither a busy harness slows the cluster down nor a stopped one lets cuts leak. Driven over
 * IPC (`messages.ts`); ends when the harness does.
 */

import { createServer } from 'node:net';
import { assert, assertNever } from '../../../../src/lib/assert.ts';
import { Connection } from './connection.ts';
import { identifierOf } from './identify.ts';
import type { LinkedMember, LinksAnswer, LinksCommand, PeerProtocol } from './messages.ts';
import { Switchboard } from './switchboard.ts';

/** Per member; further dials are refused. Members keep a handful per peer. */
const CONNECTIONS_MAX = 512;

let switchboard: Switchboard | undefined;

process.on('message', (command: LinksCommand) => {
  perform(command).catch((error: unknown) => {
    answer({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
  });
});
process.on('disconnect', () => process.exit(0));

async function perform(command: LinksCommand): Promise<void> {
  switch (command.type) {
    case 'open':
      switchboard = new Switchboard(command.members.map(({ name }) => name));
      await Promise.all(command.members.map((member) => listen(member, command)));
      return answer({ type: 'opened' });
    case 'cut':
      assert(switchboard !== undefined, 'the links are open');
      switchboard.setCuts(command.cuts);
      return answer(done(command.sequence, switchboard));
    case 'count':
      assert(switchboard !== undefined, 'the links are open');
      return answer(done(command.sequence, switchboard));
    default:
      return assertNever(command);
  }
}

function listen(
  acceptor: LinkedMember,
  setup: { readonly protocol: PeerProtocol; readonly members: readonly LinkedMember[] },
): Promise<void> {
  assert(switchboard !== undefined, 'connections need a switchboard');
  const names = new Map(setup.members.map(({ id, name }) => [id, name]));
  const options = {
    acceptor: acceptor.name,
    peerPort: acceptor.peerPort,
    identify: identifierOf(setup.protocol),
    nameOf: (id: string) => names.get(id),
    switchboard,
  };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = createServer({ allowHalfOpen: true }, (client) => new Connection(client, options));
  server.maxConnections = CONNECTIONS_MAX;
  server.once('error', reject);
  server.listen(acceptor.proxyPort, '127.0.0.1', resolve);
  return promise;
}

function done(sequence: number, board: Switchboard): LinksAnswer {
  return { type: 'done', sequence, counters: board.counters() };
}

function answer(message: LinksAnswer): void {
  process.send?.(message);
}
