/** Everything on the peer port that no member would say. */
import { encodeFrames } from '../../src/transport/frames.ts';
import { encodeHandshake, type Handshake, LANES } from '../../src/transport/handshake.ts';
import { encodePeerMessage } from '../../src/wire/peer-message.ts';
import { type Chance, mutate } from './chance.ts';
import { isPlausible, randomFrames, randomMessage } from './peer-messages.ts';
import { throwBytes } from './raw.ts';
import type { Attack, Target } from './target.ts';

/** Nobody listens there. */
const DEAF_URL = 'http://127.0.0.1:9';

export const peerNoiseAttack: Attack = async (target, { chance, tally, sockets }) => {
  const kind = chance.pick(['noise', 'nothing', 'tls hello', 'GET', 'handshake mutated']);
  const count = tally.of(`peer: ${kind}`);
  count.requests += 1;
  const parts = [noiseOf(chance, kind, target)];
  await throwBytes({ port: target.peerPort, parts, count, sockets, chance });
};

function noiseOf(chance: Chance, kind: string, target: Target): Buffer {
  switch (kind) {
    case 'noise':
      return chance.bytes(1 + chance.below(6000));
    case 'nothing':
      return Buffer.alloc(0);
    case 'tls hello':
      return Buffer.concat([Buffer.of(0x16, 3, 1, 2, 0, 1), chance.bytes(chance.below(500))]);
    case 'GET': {
      const paths = ['/members', '/version', '/raft', '/', '//', '/members?a', '/%ff', ''];
      const head = `GET ${chance.pick(paths)} HTTP/1.1\r\nhost: a\r\n\r\n`;
      const bytes = Buffer.concat([Buffer.from(head), chance.bytes(chance.below(3000))]);
      return chance.oneIn(3) ? mutate(chance, bytes) : bytes;
    }
    default: {
      const line = Buffer.from(encodeHandshake(handshakeOf(chance, target, 'known')));
      // Mutated, it must not be a good one by chance.
      return Buffer.concat([Buffer.from(chance.pick(['', ' ', 'S'])), mutate(chance, line)]);
    }
  }
}

const CLAIMS = ['known', 'known', 'known', 'stranger', 'removed', 'self', 'elsewhere'] as const;
type Claim = (typeof CLAIMS)[number];

function handshakeOf(chance: Chance, target: Target, claim: Claim): Handshake {
  const others = [...target.members].filter((id) => id !== target.id);
  const from = {
    known: () => chance.pick(others),
    elsewhere: () => chance.pick(others),
    stranger: () => chance.bigint(),
    removed: () => target.removedId,
    self: () => target.id,
  }[claim]();
  return {
    clusterId: claim === 'elsewhere' && chance.oneIn(2) ? chance.bigint() : target.clusterId,
    from,
    to: claim === 'elsewhere' ? chance.bigint() : target.id,
    lane: chance.pick(LANES),
    peerUrls: chance.oneIn(4) ? [] : [DEAF_URL],
  };
}

/** A handshake that is taken or not, and frames behind it. */
export const peerFramesAttack: Attack = async (target, { chance, tally, sockets }) => {
  const claim = chance.pick(CLAIMS);
  const handshake = handshakeOf(chance, target, claim);
  const isSnapshot = handshake.lane === 'snapshot';
  const count = tally.of(`peer: ${claim}, ${isSnapshot ? 'snapshot' : 'frames'}`);
  const ends = { from: handshake.from, to: handshake.to };
  const body = isSnapshot ? snapshotLane(chance, ends) : [randomFrames(chance, ends)];
  if (!isSnapshot && isPlausible(Buffer.concat(body), ends)) {
    count.withheld += 1;
    return;
  }
  count.requests += 1;
  const parts = [Buffer.from(encodeHandshake(handshake)), ...body];
  const reply = await throwBytes({ port: target.peerPort, parts, count, sockets, chance });
  const [line = ''] = reply.toString('latin1').split('\n');
  tally.answered(`peer ${claim}: ${line === '' ? 'nothing' : line}`);
};

/** A snapshot whose file is none. */
function snapshotLane(
  chance: Chance,
  ends: { readonly from: bigint; readonly to: bigint },
): readonly Buffer[] {
  const message = encodePeerMessage(randomMessage(chance, ends, 'MsgSnap'));
  const payload = chance.oneIn(3) ? mutate(chance, message) : message;
  const size = Buffer.alloc(8);
  const file = chance.bytes(chance.below(30_000));
  const sizes = [0n, BigInt(file.length), BigInt(file.length + 1), 2n ** 63n, 2n ** 64n - 1n];
  size.writeBigUInt64LE(chance.pick(sizes));
  return [encodeFrames([payload]), size, file];
}
