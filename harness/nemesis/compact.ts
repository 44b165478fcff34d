/** The history is compacted at the newest revision. There is nothing to heal. */
import { controlOf, insist, nodesToAsk } from '../administration/insist.ts';
import type { FaultPackage } from './fault.ts';
import { UPKEEP } from './leader-move.ts';
import { expectedNames } from './target.ts';

const COMPACT_MS = 6_000;
const COMPACTED = /required revision has been compacted/;

export const compact: FaultPackage<'compact'> = {
  ...UPKEEP,
  kind: 'compact',
  plan: (_nodes, random) => ({ kind: 'compact', physical: random.below(2) === 0 }),
  async prepare(context, { physical }) {
    const { administration } = controlOf(context);
    const asked = { nodes: nodesToAsk(context), limitMs: COMPACT_MS };
    let at: number | undefined;
    return {
      description: `compact at the newest revision${physical ? ', physically' : ''}`,
      nodes: expectedNames(context),
      inject: async () => {
        await insist(context, { ...asked, what: 'Compact' }, async (node) => {
          const revision = await administration.revision(node);
          if (!revision.ok) return revision;
          const done = await administration.compact(node, { revision: revision.value, physical });
          if (done.ok) at = revision.value;
          return done;
        });
      },
      observe: async () => {
        if (at === undefined) return { effect: 'no-effect', observation: 'nothing was compacted' };
        const before = at - 1;
        const refusal = await insist(
          context,
          { ...asked, what: `reading at ${before}` },
          async (node) => {
            const read = await administration.keysAt(node, before);
            if (read.ok) return { ok: true, value: undefined };
            if (!COMPACTED.test(read.error.message)) return read;
            return { ok: true, value: read.error.message };
          },
        );
        return refusal === undefined
          ? { effect: 'no-effect', observation: `revision ${before} can still be read` }
          : { effect: 'observed', observation: `reading at ${before}: ${refusal}` };
      },
      heal: () => Promise.resolve(),
    };
  },
};
