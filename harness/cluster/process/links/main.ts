/**
 * The links process: a TCP proxy in front of every member's peer port. A process of its own, so
 * that neither a busy harness slows the cluster down nor a stopped one lets cuts leak. Driven over
 * IPC (`messages.ts`); ends when the harness does.
 */

import { createServer, type Socket } from 'node:net';
import { RealClock } from '../../../../src/host/real-clock.ts';
import { SystemRandom } from '../../../../src/host/system-random.ts';
import { assert, assertNever } from '../../../../src/lib/assert.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { Diallers } from './dialler-of.ts';
import { identifierOf } from './identify.ts';
import type { LinkedMember, LinksAnswer, LinksCommand, PeerProtocol } from './messages.ts';
import { Switchboard } from './switchboard.ts';

/** Per member; further dials are refused. Members keep a handful per peer. */
const CONNECTIONS_MAX = 512;

let switchboard: Switchboard | undefined;
/** From ids to the members that dial with them. */
const names = new Map<string, string>();
/** Set where nothing on the wire can be read. */
let diallers: Diallers | undefined;

process.on('message', (command: LinksCommand) => {
  perform(command).catch((error: unknown) => {
    answer({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
  });
});
process.on('disconnect', () => process.exit(0));

async function perform(command: LinksCommand): Promise<void> {
  if (command.type === 'open') {
    if (command.protocol === 'tls') diallers = new Diallers(process.argv[2]!);
    for (const { id, name } of command.members) names.set(id, name);
    switchboard = new Switchboard([...names.values()], {
      clock: new RealClock(),
      random: new SystemRandom(),
    });
    await Promise.all(command.members.map((member) => listen(member, command)));
    return answer({ type: 'opened' });
  }
  assert(switchboard !== undefined, 'the links are open');
  change(switchboard, command);
  return answer({
    type: 'done',
    sequence: command.sequence,
    readings: switchboard.readings(),
  });
}

function change(board: Switchboard, command: Exclude<LinksCommand, { type: 'open' }>): void {
  switch (command.type) {
    case 'cut':
      return board.setCuts(command.cuts);
    case 'shape':
      return board.setQualities(command.links);
    case 'pull':
      return board.setPulled(command.members);
    case 'know':
      names.set(command.id, command.member);
      return;
    case 'reset':
      return board.reset(command.links);
    case 'count':
      return;
    default:
      return assertNever(command);
  }
}

function listen(
  acceptor: LinkedMember,
  setup: { readonly protocol: PeerProtocol; readonly members: readonly LinkedMember[] },
): Promise<void> {
  assert(switchboard !== undefined, 'connections need a switchboard');
  const options = {
    acceptor: acceptor.name,
    peerPort: acceptor.peerPort,
    identify: identifierOf(setup.protocol),
    nameOf: (id: string) => names.get(id),
    switchboard,
  };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = createServer(
    { allowHalfOpen: true, pauseOnConnect: diallers !== undefined },
    (client) => {
      if (diallers === undefined) new Connection(client, options);
      else void connectSecretly(diallers, client, options);
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.once('error', reject);
  server.listen(acceptor.proxyPort, '127.0.0.1', resolve);
  return promise;
}

/** `client` is paused. */
async function connectSecretly(
  known: Diallers,
  client: Socket,
  options: ConnectionOptions,
): Promise<void> {
  const giveUp = (): void => {
    client.destroy();
  };
  client.on('error', giveUp);
  const dialler = await known.of(client);
  client.off('error', giveUp);
  if (client.destroyed) return;
  new Connection(client, options, dialler);
  client.resume();
}

function answer(message: LinksAnswer): void {
  process.send?.(message);
}
