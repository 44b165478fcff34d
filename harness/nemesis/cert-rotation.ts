/**
 * All members get other certificates and keys of the same authority while they run, and half way
 * another list of authorities. Nothing may break: who dials sees the new certificate, and who is
 * connected stays so, or connects again.
 */
import { linksAmong } from '../network/link-settings.ts';
import { waitUntil } from '../timing.ts';
import type { FaultPackage, NemesisContext } from './fault.ts';
import { expectedNames, nodeNamed, STATUS_TIMEOUT_MS } from './target.ts';

/** Files are looked at once a second at most; then they have to be read. */
const SEEN_LIMIT_MS = 3_000;
/** For members to find each other again. */
const TALK_LIMIT_MS = 5_000;
const RETRY_MS = 100;
/** Of one read: peers may be dialling, or electing. */
const READ_TIMEOUT_MS = 1_500;

export const certRotation: FaultPackage<'cert-rotation'> = {
  kind: 'cert-rotation',
  needs: 'tls',
  family: 'upkeep',
  lastsPercent: [50, 70],
  plan: () => ({ kind: 'cert-rotation', of: 'all' }),
  async prepare(context) {
    const { cluster } = context;
    const { tls } = cluster;
    const names = cluster.nodes.map((node) => node.name);
    const serials = new Map<string, string>();
    const canReset = cluster.capabilities.some(
      ({ capability, available }) => capability === 'connection-reset' && available,
    );
    const before = canReset ? await resetsOf(context) : 0;
    return {
      description: `new certificates for ${names.join(', ')}, another list of authorities half way`,
      nodes: names,
      inject: async () => {
        for (const [at, name] of names.entries()) {
          if (at === Math.ceil(names.length / 2)) await tls?.changeBundle();
          const serial = await tls?.renewCertificate(name);
          if (serial !== undefined) serials.set(name, serial);
        }
      },
      observe: async () => {
        const expected = expectedNames(context);
        const isNew = async (name: string): Promise<boolean> =>
          (await tls?.shownSerial(name, STATUS_TIMEOUT_MS)) === serials.get(name);
        const seen = await countThat(context, expected, SEEN_LIMIT_MS, isNew);
        // Peers that stay connected would never see it.
        if (canReset) await cluster.resetConnections(linksAmong(names));
        const talking = await countThat(context, expected, TALK_LIMIT_MS, (name) =>
          reads(context, name),
        );
        const resets = canReset ? (await resetsOf(context)) - before : 0;
        return {
          effect: seen > 0 ? 'observed' : 'no-effect',
          observation:
            `${seen} of ${expected.length} show the new certificate; ${resets} connections of peers` +
            ` were reset, then ${talking} of ${expected.length} answered reads`,
        };
      },
      heal: async () => {
        // There is nothing to undo. Who does not talk for another reason is not waited for.
        await countThat(context, expectedNames(context), TALK_LIMIT_MS, (name) =>
          reads(context, name),
        );
      },
    };
  },
};

function reads(context: NemesisContext, name: string): Promise<boolean> {
  return context.probe.linearizableRead(nodeNamed(context, name), READ_TIMEOUT_MS);
}

/** How many of `names` were found so within the limit. */
async function countThat(
  { clock }: NemesisContext,
  names: readonly string[],
  limitMs: number,
  isSo: (name: string) => Promise<boolean>,
): Promise<number> {
  const limits = { intervalMs: RETRY_MS, limitMs };
  const found = await Promise.all(names.map((name) => waitUntil(clock, limits, () => isSo(name))));
  return found.filter(Boolean).length;
}

async function resetsOf({ cluster }: NemesisContext): Promise<number> {
  return (await cluster.linkTally()).resets;
}
