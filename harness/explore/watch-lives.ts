/** What members wrote in lives that they ended themselves: nobody had killed them. */
import type { Cluster } from '../cluster/cluster.ts';

export interface Ended {
  readonly node: string;
  /** What it wrote in that life. */
  readonly log: string;
}

export interface Lives {
  /** The same cluster; who starts and kills a member through it is noticed. */
  readonly cluster: Cluster;
  /** Lives that are over; of `ended`, who do not run now, also the present one. */
  endedAlone(ended: readonly string[]): readonly Ended[];
}

export function watchLives(raw: Cluster, logOf: (node: string) => string): Lives {
  /** Where in the log the present life began, in characters. */
  const began = new Map<string, number>();
  const killed = new Set<string>();
  const over: Ended[] = [];
  const presentOf = (node: string): string => logOf(node).slice(began.get(node) ?? 0);
  const noteKill = async (node: string): Promise<void> => {
    if (await raw.isRunning(node)) killed.add(node);
  };
  const own: Partial<Cluster> = {
    start: async (node) => {
      // Fine on a member that runs: its life goes on.
      if (!(await raw.isRunning(node))) {
        if (!killed.delete(node)) over.push({ node, log: presentOf(node) });
        began.set(node, logOf(node).length);
      }
      return raw.start(node);
    },
    kill: async (node) => {
      await noteKill(node);
      return raw.kill(node);
    },
    failPower: async (node, loss) => {
      await noteKill(node);
      return raw.failPower(node, loss);
    },
  };
  // The backends are classes with private fields: methods must be called on the real one.
  const cluster = new Proxy(raw, {
    get(target, name) {
      if (Object.hasOwn(own, name)) return Reflect.get(own, name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return {
    cluster,
    endedAlone: (ended) => [
      ...over,
      ...ended.filter((node) => !killed.has(node)).map((node) => ({ node, log: presentOf(node) })),
    ],
  };
}
