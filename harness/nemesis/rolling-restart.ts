/** Every member is stopped in good order and started again, one by one, the leader last. */
import { controlOf } from '../administration/insist.ts';
import { ClusterError } from '../cluster/cluster.ts';
import { findLeader } from '../member-probe.ts';
import { waitUntil } from '../timing.ts';
import type { FaultPackage, NemesisContext } from './fault.ts';
import { expectedNames, findDead, nodeNamed, STATUS_TIMEOUT_MS } from './target.ts';

const SERVES_MS = 15_000;
const POLL_MS = 50;
const READ_MS = 1_000;

interface Restarted {
  readonly name: string;
  readonly how: 'ended' | 'killed';
  readonly wasGone: boolean;
  readonly serves: boolean;
  readonly tookMs: number;
}

export const rollingRestart: FaultPackage<'rolling-restart'> = {
  kind: 'rolling-restart',
  needs: 'stop',
  family: 'process',
  alsoExcludes: ['upkeep'],
  lastsPercent: [10, 20],
  takesMs: 8_000,
  plan: () => ({ kind: 'rolling-restart', leaderLast: true }),
  async prepare(context) {
    const { cluster } = context;
    const names = expectedNames(context);
    const restarted: Restarted[] = [];
    return {
      description: `SIGTERM and start of ${names.join(', ')} in turn, the leader last`,
      nodes: names,
      inject: async () => {
        await findDead(context, names);
        const leader = await findLeader(context.probe, cluster.nodes, STATUS_TIMEOUT_MS);
        const order = [...names.filter((name) => name !== leader), leader];
        for (const name of order) {
          if (name === undefined || !names.includes(name)) continue;
          const done = await restart(context, name);
          restarted.push(done);
          if (!done.serves) throw new ClusterError(`${name} does not serve after its restart`);
        }
      },
      observe: async () => {
        const isWhole = restarted.length === names.length;
        const wereGone = restarted.every(({ wasGone, how }) => wasGone && how === 'ended');
        return {
          effect: isWhole && wereGone ? 'observed' : 'no-effect',
          observation: restarted.map(describe).join('; '),
        };
      },
      heal: async () => {
        for (const name of names) if (!(await cluster.isRunning(name))) await cluster.start(name);
      },
    };
  },
};

async function restart(context: NemesisContext, name: string): Promise<Restarted> {
  const { cluster, clock, probe } = context;
  const startNs = clock.nowNs();
  const how = await controlOf(context).stop(name);
  const wasGone = !(await cluster.isRunning(name));
  await cluster.start(name);
  const limits = { intervalMs: POLL_MS, limitMs: SERVES_MS };
  const node = nodeNamed(context, name);
  const serves = await waitUntil(clock, limits, () => probe.linearizableRead(node, READ_MS));
  return { name, how, wasGone, serves, tookMs: Math.round((clock.nowNs() - startNs) / 1e6) };
}

function describe({ name, how, wasGone, serves, tookMs }: Restarted): string {
  if (!wasGone) return `${name} was not gone`;
  return `${name} ${how}, ${serves ? `served again after ${tookMs} ms` : 'does not serve'}`;
}
