/**
 * A snapshot is taken from a member while clients write, and a cluster of one member is made of it
 * beside this one. What that one holds must be what this one held at the same revision.
 */
import type { KeyState } from '../administration/administration.ts';
import { controlOf, insist, nodesToAsk } from '../administration/insist.ts';
import type { SideMember } from '../administration/side-member.ts';
import type { FaultPackage, NemesisContext, Observation } from './fault.ts';
import { UPKEEP } from './leader-move.ts';
import { expectedNames } from './target.ts';

const SNAPSHOT_MS = 10_000;
const SIDE_MS = 20_000;
const COMPARE_MS = 5_000;

interface Taken {
  /** Read linearizably through the same member before: the snapshot cannot be older. */
  readonly revision: number;
  readonly from: string;
  readonly bytes: Uint8Array;
}

export const snapshotRestore: FaultPackage<'snapshot-restore'> = {
  ...UPKEEP,
  kind: 'snapshot-restore',
  needs: 'snapshot-restore',
  takesMs: 4_000,
  plan: () => ({ kind: 'snapshot-restore', beside: true }),
  async prepare(context) {
    controlOf(context);
    let taken: Taken | undefined;
    let side: SideMember | undefined;
    return {
      description: 'a snapshot of one member, restored beside the cluster',
      nodes: expectedNames(context),
      inject: async () => {
        taken = await take(context);
      },
      observe: async () => {
        if (taken === undefined) return { effect: 'no-effect', observation: 'no snapshot' };
        side = await controlOf(context).side.open(taken.bytes);
        return compare(context, taken, side);
      },
      heal: async () => {
        await side?.close();
        side = undefined;
      },
    };
  },
};

function take(context: NemesisContext): Promise<Taken> {
  const { administration } = controlOf(context);
  const asked = { what: 'Snapshot', nodes: nodesToAsk(context), limitMs: SNAPSHOT_MS };
  return insist(context, asked, async (node) => {
    const revision = await administration.revision(node);
    if (!revision.ok) return revision;
    const bytes = await administration.snapshot(node);
    if (!bytes.ok) return bytes;
    return { ok: true, value: { revision: revision.value, from: node.name, bytes: bytes.value } };
  });
}

async function compare(
  context: NemesisContext,
  { revision: least, from, bytes }: Taken,
  side: SideMember,
): Promise<Observation> {
  const { administration } = controlOf(context);
  const what = `${Math.round(bytes.length / 1024)} KiB from ${from}`;
  const started = { what: 'the restored member', nodes: [side.node], limitMs: SIDE_MS };
  const revision = await insist(context, started, () => administration.revision(side.node));
  if (revision < least) {
    return unequal(`${what} hold revision ${revision}, after a read at ${least}`);
  }
  const compared = { what: `reading at ${revision}`, limitMs: COMPARE_MS };
  const restored = await insist(context, { ...compared, nodes: [side.node] }, (node) =>
    administration.keysAt(node, revision),
  );
  const here = await insist(context, { ...compared, nodes: nodesToAsk(context) }, (node) =>
    administration.keysAt(node, revision),
  );
  const difference = differenceOf(here, restored);
  if (difference !== undefined) return unequal(`${what} at revision ${revision}: ${difference}`);
  const observation = `${what}: ${restored.length} keys at revision ${revision} are the cluster's`;
  return { effect: 'observed', observation };
}

function unequal(observation: string): Observation {
  return { effect: 'no-effect', observation };
}

function differenceOf(
  here: readonly KeyState[],
  restored: readonly KeyState[],
): string | undefined {
  if (here.length !== restored.length) {
    return `${restored.length} keys instead of ${here.length}`;
  }
  const at = here.findIndex((state, i) => textOf(state) !== textOf(restored[i]!));
  return at < 0 ? undefined : `${textOf(restored[at]!)} instead of ${textOf(here[at]!)}`;
}

function textOf({ key, value, createRevision, modRevision, version }: KeyState): string {
  return JSON.stringify([key, value, createRevision, modRevision, version]);
}
