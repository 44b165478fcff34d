/**
 * `storm failover`: how long a cluster takes from kill -9 of its leader to the first
 * acknowledged write, round by round; beside a real etcd in turns when one is given.
 */

import type { BackendChoice } from '../backends.ts';
import type { Target } from '../cluster/cluster.ts';
import { exitCodeOf, StormError } from '../exit-code.ts';
import { medianOf } from '../median.ts';
import { findLeader, type MemberProbe } from '../member-probe.ts';
import { type OpenedCluster, openCluster } from '../open-cluster.ts';
import { READY_LIMIT_MS, waitUntilReadable } from '../recovery.ts';
import type { Services } from '../services.ts';
import { sleep, waitUntil } from '../timing.ts';
import { sweepFirst } from './sweep.ts';

export interface FailoverRequest {
  readonly rounds: number;
  readonly memberCount: number;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly targets: readonly Target[];
  readonly cluster: BackendChoice;
  readonly runsDirectory: string;
}

/** A write is tried this often through each survivor: the resolution of the measurement. */
const WRITE_INTERVAL_MS = 10;
const WRITE_TIMEOUT_MS = 1_000;
/** Unanswered writes per survivor: all of a timeout's length, so that none is held back. */
const OUTSTANDING_MAX = (2 * WRITE_TIMEOUT_MS) / WRITE_INTERVAL_MS;
const STATUS_TIMEOUT_MS = 400;

/** One target's cluster and what was measured of it. */
interface Contender {
  readonly name: string;
  readonly opened: OpenedCluster;
  readonly failoverMs: number[];
}

/** 0, or rejects with StormError when a cluster does not come back. */
export async function failoverCommand(
  services: Services,
  request: FailoverRequest,
): Promise<number> {
  await sweepFirst(services);
  const { progress, signal } = services;
  const { memberCount, heartbeatMs, electionMs } = request;
  await using clusters = new AsyncDisposableStack();
  const contenders: Contender[] = [];
  for (const target of request.targets) {
    const opened = await openCluster(services, {
      choice: request.cluster,
      runsDirectory: request.runsDirectory,
      label: `failover-${target.kind}`,
      config: { memberCount, heartbeatMs, electionMs, target, serverFlags: [] },
    });
    clusters.use(opened.cluster);
    contenders.push({ name: target.kind, opened, failoverMs: [] });
  }
  const probe = services.openProbe();
  clusters.defer(() => probe.close());
  for (let round = 1; round <= request.rounds; round++) {
    const words: string[] = [];
    for (const contender of contenders) {
      const tookMs = await failOver(services, probe, contender, electionMs);
      if (signal.aborted) throw new StormError('interrupted');
      contender.failoverMs.push(tookMs);
      words.push(`${contender.name} ${tookMs.toFixed(0)} ms`);
    }
    progress.print(`failover: round ${round}: ${words.join(', ')}`);
  }
  for (const line of summarize(request, contenders)) progress.print(line);
  return exitCodeOf('valid');
}

function summarize(request: FailoverRequest, contenders: readonly Contender[]): string[] {
  const settings = `heartbeat ${request.heartbeatMs} ms, election ${request.electionMs} ms`;
  const lines = contenders.map(({ name, failoverMs }) => {
    const range = `${Math.min(...failoverMs).toFixed(0)}-${Math.max(...failoverMs).toFixed(0)}`;
    const median = `median ${medianOf(failoverMs).toFixed(0)} ms`;
    return `failover: ${name}: ${median} (${range} ms, ${failoverMs.length} rounds, ${settings})`;
  });
  const [first, second] = contenders;
  if (first === undefined || second === undefined) return lines;
  const ratio = medianOf(first.failoverMs) / medianOf(second.failoverMs);
  return [...lines, `failover: ratio ${first.name} / ${second.name}: ${ratio.toFixed(2)}`];
}

/** One round, in ms; leaves the cluster whole and settled. */
async function failOver(
  services: Services,
  probe: MemberProbe,
  { name, opened }: Contender,
  electionMs: number,
): Promise<number> {
  const { clock, signal } = services;
  const { cluster } = opened;
  const unready = await waitUntilReadable({ cluster, probe, clock }, READY_LIMIT_MS, signal);
  if (unready.length > 0) throw new StormError(`${name}: ${unready.join(', ')} answered no read`);
  // Past the last election, so that every follower's timer starts from a heartbeat.
  await sleep(clock, 2 * electionMs, signal);
  let leader: string | undefined;
  await waitUntil(clock, { intervalMs: 100, limitMs: READY_LIMIT_MS, signal }, async () => {
    leader = await findLeader(probe, cluster.nodes, STATUS_TIMEOUT_MS);
    return leader !== undefined;
  });
  if (leader === undefined) throw new StormError(`${name}: nobody leads`);
  const startNs = clock.nowNs();
  await cluster.kill(leader);
  const acknowledgedNs = await firstAcknowledgement(services, opened, leader);
  await cluster.start(leader);
  if (acknowledgedNs === undefined) throw new StormError(`${name}: no write after the kill`);
  return (acknowledgedNs - startNs) / 1e6;
}

/** When the first write tried from now on through a survivor was acknowledged. */
async function firstAcknowledgement(
  services: Services,
  { cluster }: OpenedCluster,
  killed: string,
): Promise<number | undefined> {
  const { clock } = services;
  const survivors = cluster.nodes.filter((node) => node.name !== killed);
  const clients = survivors.map((node) => services.openKeyClient(node));
  let firstNs: number | undefined;
  const timers = clients.map((client) => {
    let outstanding = 0;
    return clock.every(WRITE_INTERVAL_MS, () => {
      if (outstanding >= OUTSTANDING_MAX) return;
      outstanding++;
      void client.put('failover', killed, WRITE_TIMEOUT_MS).then((acknowledged) => {
        outstanding--;
        if (acknowledged) firstNs ??= clock.nowNs();
      });
    });
  });
  await waitUntil(clock, { intervalMs: 20, limitMs: READY_LIMIT_MS }, async () => {
    return firstNs !== undefined;
  });
  for (const timer of timers) timer[Symbol.dispose]();
  for (const client of clients) client.close();
  return firstNs;
}
