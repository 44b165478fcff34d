import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { loadJwtTokens } from '../host/jwt-tokens.ts';
import { memberIdOf } from '../host/member-ids.ts';
import { BcryptHasher } from '../host/password-hasher.ts';
import type { StartedMember } from '../member/started-member.ts';
import type { Clock } from '../ports/clock.ts';
import type { Disk } from '../ports/disk.ts';
import type { Random } from '../ports/random.ts';
import type { TokenProvider } from '../ports/token-provider.ts';
import type { ServicePorts } from '../service/all-services.ts';
import type { Digest } from '../service/snapshot-stream.ts';
import { SnapshotExport } from '../snap/snapshot-export.ts';
import { StartError } from './exit-code.ts';
import type { Settings } from './settings.ts';

/** What the services need of the platform: hashes, keys, files. */
export type OpenedServicePorts = ServicePorts & { readonly hasher: BcryptHasher };

export interface ServicePortParts {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly random: Random;
  readonly snapDirectory: string;
  readonly member: StartedMember;
  readonly onDefragment: () => () => void;
}

/** Throws {@link StartError} if the keys of tokens cannot be read. */
export async function openServicePorts(
  settings: Settings,
  { clock, disk, random, snapDirectory, member, onDefragment }: ServicePortParts,
): Promise<OpenedServicePorts> {
  const pause = (): Promise<void> => new Promise((resolve) => clock.soon(resolve));
  return {
    clock,
    random: random.fork('services'),
    hasher: new BcryptHasher({ cost: settings.auth.bcryptCost }),
    signedTokens: await signedTokensOf(settings, clock),
    snapshots: new SnapshotExport({
      disk,
      directory: snapDirectory,
      image: () => member.image(),
      pause,
    }),
    newDigest: sha256,
    onDefragment,
    // Seconds make it another id when a member comes back under the same URLs, as in etcd.
    newMemberId: (peerUrls) => memberIdOf(peerUrls, String(Math.floor(clock.wallMs() / 1_000))),
  };
}

export async function closePorts(ports: OpenedServicePorts): Promise<void> {
  await ports.hasher.close();
}

async function signedTokensOf(
  { auth: { token } }: Settings,
  clock: Clock,
): Promise<TokenProvider | undefined> {
  if (token.type === 'simple') return undefined;
  const tokens = await loadJwtTokens(token, readFile, clock);
  if (tokens.ok) return tokens.value;
  throw new StartError('settings', tokens.error);
}

function sha256(): Digest {
  const hash = createHash('sha256');
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    sum: () => new Uint8Array(hash.digest()),
  };
}
