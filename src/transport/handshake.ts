import { type ClusterId, formatId, type MemberId } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';

/**
 * How a peer connection starts. The dialler sends one line of ASCII,
 *
 *   STORMRAFT/1 <cluster id> <from id> <to id> <lane> <urls>\n      (ids in hexadecimal)
 *
 * the acceptor answers `OK\n` or `NO <reason>\n` and hangs up. After OK frames go from the
 * dialler to the acceptor only (frames.ts); the acceptor returns single ACK bytes, at most
 * one per read, by which the dialler sees that the other end is alive and reading.
 *
 * `urls` are the dialler's own peer URLs, with commas between: a member that was away while
 * others were added learns of them by their calls, and can answer.
 */

/** `control`: small urgent messages; `bulk`: entries and proposals; `snapshot`: one transfer. */
export const LANES = ['control', 'bulk', 'snapshot'] as const;
export type Lane = (typeof LANES)[number];

export interface Handshake {
  readonly clusterId: ClusterId;
  readonly from: MemberId;
  readonly to: MemberId;
  readonly lane: Lane;
  readonly peerUrls: readonly string[];
}

/** A first line longer than this is not ours. */
export const HANDSHAKE_BYTES_MAX = 4096;
export const ACCEPTED = 'OK\n';
export const ACK = 0x06;

/** The answer to a member that was removed; it has to stop. */
export const REMOVED = 'this member was removed from the cluster';

export function encodeHandshake({ clusterId, from, to, lane, peerUrls }: Handshake): string {
  const ids = [clusterId, from, to].map(formatId).join(' ');
  return `STORMRAFT/1 ${ids} ${lane} ${peerUrls.join()}\n`;
}

export function refusal(reason: string): string {
  return `NO ${reason}\n`;
}

/** Parses the line, without its newline; the error is the reason to refuse. */
export function decodeHandshake(line: string): Result<Handshake, string> {
  const [protocol, clusterId, from, to, lane, urls = '', ...rest] = line.split(' ');
  if (protocol !== 'STORMRAFT/1' || rest.length > 0)
    return err('not a Stormraft peer of protocol 1');
  const ids = [clusterId, from, to];
  if (!ids.every((id) => id !== undefined && /^[0-9a-f]{1,16}$/.test(id)))
    return err('malformed id');
  const known = LANES.find((candidate) => candidate === lane);
  if (known === undefined) return err('unknown lane');
  const [cluster, sender, receiver] = ids.map((id) => BigInt(`0x${id}`));
  const peerUrls = urls.split(',').filter((url) => url !== '');
  return ok({ clusterId: cluster!, from: sender!, to: receiver!, lane: known, peerUrls });
}
