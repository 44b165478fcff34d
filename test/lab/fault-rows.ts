/** Every kind of fault once or more on a cluster under load: what it did, and how fast. */

import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, ClusterConfig } from '../../harness/cluster/cluster.ts';
import { instrumentsFor } from '../../harness/cluster/resource-control.ts';
import { openMemberProbe } from '../../harness/etcd-members.ts';
import type { FaultSpec, NemesisContext } from '../../harness/nemesis/fault.ts';
import { EVERYBODY, type FaultKind, type FaultSpecs } from '../../harness/nemesis/fault.ts';
import { FAULT_KINDS, FAULT_PACKAGES, prepareFault } from '../../harness/nemesis/packages.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { EtcdClient } from '../../src/client/etcd-client.ts';
import { RealClock } from '../../src/host/real-clock.ts';
import { medianOf } from '../disk/time-syncs.ts';

/** Strengths that are easy to compare; the other kinds are drawn by a seed. */
const ASKED: { readonly [Kind in FaultKind]?: FaultSpecs[Kind] } = {
  'slow-disk': { nodes: ['n1', 'n2', 'n3'], delayMs: 50 },
  'slow-links': {
    node: EVERYBODY,
    direction: 'both',
    delayMs: 50,
    jitterMs: 0,
    distribution: 'uniform',
  },
  'lossy-links': { node: EVERYBODY, direction: 'both', lossPercent: 10 },
  // The load must fill it.
  'thin-links': { node: EVERYBODY, direction: 'both', rateBytesPerS: 50_000 },
};

const HOLD_MS = 1_500;
/** One fault with what the cluster needs after it; a kind that hangs must not end the table. */
const STEP_MS_MAX = 45_000;
const SERVING_MS_MAX = 20_000;
const PUT_TIMEOUT_MS = 2_000;
const CLIENTS_PER_MEMBER = 2;
const VALUE_BYTES = 1_000;
const REASON_CHARACTERS_MAX = 160;

export interface FaultRow {
  readonly kind: FaultKind;
  readonly asked: string;
  readonly measured: string;
  readonly injectMs: number;
  readonly healMs: number;
  readonly tries: number;
}

export interface Lab {
  open(config: ClusterConfig): Promise<Cluster>;
  readonly directory: string;
  /** By `performance.now()`: nothing begins after it. */
  readonly endMs: number;
  onProgress(line: string): void;
}

/** What the members must be started with for a kind. */
type Setup = 'plain' | 'instrumented' | 'tls';

interface Try {
  readonly asked: string;
  readonly measured: string;
  readonly isObserved: boolean;
  readonly injectMs: number;
  readonly healMs: number;
}

/** All kinds, in their order, over and over until the time is up; medians of the times. */
export async function measureFaults(lab: Lab): Promise<FaultRow[]> {
  const tries = new Map<FaultKind, Try[]>();
  const refused = new Map<FaultKind, string>();
  await using stage = new Stage(lab);
  for (let pass = 1; performance.now() < lab.endMs; pass++) {
    for (const setup of ['plain', 'instrumented', 'tls'] as const) {
      for (const kind of FAULT_KINDS.filter((each) => setupFor(each) === setup)) {
        if (performance.now() >= lab.endMs || refused.has(kind)) continue;
        // The first cluster may need an image first, which takes its time.
        const result = await stage
          .ready(setup)
          .then(() => limited(stage.tryFault(kind, pass)))
          .catch(reasonOf);
        lab.onProgress(`${pass} ${kind}: ${typeof result === 'string' ? result : result.measured}`);
        if (typeof result === 'string') await stage.close();
        if (typeof result !== 'string') tries.set(kind, [...(tries.get(kind) ?? []), result]);
        else if (!tries.has(kind)) refused.set(kind, result);
      }
    }
    if (refused.size === FAULT_KINDS.length) break;
  }
  return FAULT_KINDS.map((kind) => rowOf(kind, tries.get(kind) ?? [], refused.get(kind)));
}

function setupFor(kind: FaultKind): Setup {
  if (kind === 'cert-rotation') return 'tls';
  return instrumentsFor([kind]).length === 0 ? 'plain' : 'instrumented';
}

function rowOf(kind: FaultKind, all: readonly Try[], refused: string | undefined): FaultRow {
  const observed = all.filter(({ isObserved }) => isObserved);
  const shown = observed.at(-1) ?? all.at(-1);
  if (shown === undefined) {
    const measured = refused ?? 'no time left';
    return { kind, asked: '-', measured, injectMs: Number.NaN, healMs: Number.NaN, tries: 0 };
  }
  const counted = observed.length > 0 ? observed : all;
  return {
    kind,
    asked: shown.asked,
    measured: shown.isObserved ? shown.measured : `no effect: ${shown.measured}`,
    injectMs: medianOf(counted.map(({ injectMs }) => injectMs)),
    healMs: medianOf(counted.map(({ healMs }) => healMs)),
    tries: all.length,
  };
}

/** A cluster with clients at work, replaced when a fault has left something behind. */
class Stage implements AsyncDisposable {
  readonly #lab: Lab;
  #running:
    | { readonly setup: Setup; readonly context: NemesisContext; stop(): Promise<void> }
    | undefined;
  #count = 0;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  async ready(setup: Setup): Promise<void> {
    if (this.#running?.setup !== setup) await this.#open(setup);
  }

  /** In words why there is nothing to measure, if there is not. */
  async tryFault(kind: FaultKind, pass: number): Promise<Try | string> {
    const running = this.#running!;
    const { context } = running;
    const { needs } = FAULT_PACKAGES[kind];
    const report = context.cluster.capabilities.find(({ capability }) => capability === needs);
    if (report?.available !== true) return `not here: ${report?.detail ?? needs}`;
    const spec = specOf(kind, pass);
    const prepared = await prepareFault(context, spec);
    let injectMs = Number.NaN;
    let healMs = Number.NaN;
    let observed = { effect: 'no-effect', observation: '' };
    try {
      injectMs = await timed(() => prepared.inject());
      await sleep(HOLD_MS);
      observed = await prepared.observe();
    } finally {
      healMs = await timed(() => prepared.heal());
    }
    const isWhole = context.givenUp.size === 0 && (await isServing(context));
    // Not if this has taken so long that there is another one.
    if (!isWhole && this.#running === running) await this.close();
    const isObserved = observed.effect === 'observed';
    const { description: asked } = prepared;
    return { asked, measured: observed.observation, isObserved, injectMs, healMs };
  }

  async close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #open(setup: Setup): Promise<void> {
    await this.close();
    this.#count += 1;
    const runDirectory = join(this.#lab.directory, String(this.#count));
    mkdirSync(runDirectory);
    const cluster = await this.#lab.open({
      ...labConfig(runDirectory, `lab-${process.pid}-${this.#count}`),
      ...(setup === 'instrumented' && { instruments: instrumentsFor(FAULT_KINDS) }),
      ...(setup === 'tls' && { tls: true }),
    });
    const probe = openMemberProbe();
    const context = {
      cluster,
      probe,
      clock: new RealClock(),
      diedAlone: new Set<string>(),
      givenUp: new Set<string>(),
    };
    const load = startLoad(cluster);
    this.#running = {
      setup,
      context,
      async stop() {
        await load.stop();
        probe.close();
        await cluster[Symbol.asyncDispose]();
      },
    };
    await isServing(context);
  }
}

function specOf(kind: FaultKind, pass: number): FaultSpec {
  const asked = ASKED[kind];
  if (asked !== undefined) return { kind, ...asked } as FaultSpec;
  return FAULT_PACKAGES[kind].plan(['n1', 'n2', 'n3'], seededRandom(pass));
}

export function labConfig(runDirectory: string, runId: string): ClusterConfig {
  return {
    runId,
    memberCount: 3,
    heartbeatMs: 100,
    electionMs: 1_000,
    runDirectory,
    target: { kind: 'stormraft', root: resolve(import.meta.dirname, '../..') },
    serverFlags: [],
  };
}

/** Whether all members serve reads, within a limit. */
async function isServing({ cluster, probe, givenUp }: NemesisContext): Promise<boolean> {
  const deadlineMs = performance.now() + SERVING_MS_MAX;
  for (const node of cluster.nodes) {
    if (givenUp.has(node.name)) continue;
    while (!(await probe.linearizableRead(node, 1_000))) {
      if (performance.now() > deadlineMs) return false;
      await sleep(100);
    }
  }
  return true;
}

function startLoad(cluster: Cluster): { stop(): Promise<void> } {
  const value = new Uint8Array(VALUE_BYTES);
  let goesOn = true;
  const work = cluster.nodes.flatMap((node, at) =>
    Array.from({ length: CLIENTS_PER_MEMBER }, async (_, number) => {
      const client = new EtcdClient({ endpoint: node.clientUrl, tls: node.tls });
      const key = new TextEncoder().encode(`load/${at}/${number}`);
      while (goesOn) {
        await client.put({ key, value }, { timeoutMs: PUT_TIMEOUT_MS });
        await sleep(5);
      }
      client.close();
    }),
  );
  return {
    async stop() {
      goesOn = false;
      await Promise.allSettled(work);
    },
  };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

async function limited<Value>(work: Promise<Value>): Promise<Value> {
  const abort = new AbortController();
  const late = sleep(STEP_MS_MAX, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`no end after ${STEP_MS_MAX / 1_000} s`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    abort.abort();
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s+/g, ' ').slice(0, REASON_CHARACTERS_MAX);
}
