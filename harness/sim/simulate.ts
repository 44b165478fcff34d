/**
 * One simulation, from a plan to its outcome: start, the safety phase with clients and faults,
 * then the liveness phase, in which a quorum is healed and must make progress; at last the
 * reads that settle what is there, and the checkers.
 */

import type { CheckResult } from '../../checkers/checker.ts';
import { checkAll } from '../../checkers/compose.ts';
import type { FaultRecord } from '../../reports/run-record.ts';
import { deleteRangeRequest, putRequest } from '../../src/client/requests.ts';
import { timingOf } from '../../src/member/timing.ts';
import { serviceError } from '../../src/service/errors.ts';
import type { FullClient } from '../../workloads/full-client.ts';
import type { CallOptions, KvClient } from '../../workloads/kv-client.ts';
import type { Workload } from '../../workloads/workload.ts';
import { Interpreter } from '../interpreter.ts';
import { runSchedule } from '../nemesis/compose.ts';
import type { NemesisContext } from '../nemesis/fault.ts';
import { expectedNames } from '../nemesis/target.ts';
import { GOOD_LINKS } from '../network/link-quality.ts';
import { type OpEntry, Recorder } from '../recorder.ts';
import {
  READY_LIMIT_MS,
  type Recovery,
  recover,
  recoveryLimitMs,
  waitUntilReadable,
} from '../recovery.ts';
import { sleep, waitUntil } from '../timing.ts';
import { Administrator } from './administrator.ts';
import type { SimOutcome } from './outcome.ts';
import type { SimPlan } from './plan.ts';
import type { Tracer } from './trace.ts';
import { simWorkload } from './workload.ts';
import { SimWorld } from './world.ts';

export interface SimulateOptions {
  /** Told every event; without one a simulation is several times faster. */
  readonly tracer?: Tracer;
}

const FINAL_LIMIT_MS = 60_000;
const PROGRESS_RETRY_MS = 50;
/** A long entry of the simulation's workloads. */
const ENTRY_BYTES = 512;
const NO_SPACE = serviceError('noSpace').message;

/** Never rejects for what the server does; rejects when the simulator itself is at fault. */
export async function simulate(plan: SimPlan, options: SimulateOptions = {}): Promise<SimOutcome> {
  const { tracer } = options;
  const allowsAll = plan.schedule.some(({ spec }) => spec.kind === 'lying-disk');
  const world = new SimWorld(plan, { tracer, allowsAll });
  const simulation = new Simulation(plan, world, tracer);
  await world.loop.drive(Promise.race([simulation.run(), world.failed]));
  return simulation.outcome();
}

class Simulation {
  readonly #plan: SimPlan;
  readonly #world: SimWorld;
  readonly #tracer: Tracer | undefined;
  readonly #abort = new AbortController();
  readonly #context: NemesisContext;
  readonly #workload: Workload;
  readonly #recorder: Recorder;
  readonly #administrator: Administrator;
  #historyBaseNs = 0;
  /** Nobody keeps leases alive any more. */
  #isEnding = false;
  #faults: readonly FaultRecord[] = [];
  #recovery: Recovery | undefined;
  #checks: readonly CheckResult[] = [];

  constructor(plan: SimPlan, world: SimWorld, tracer: Tracer | undefined) {
    this.#plan = plan;
    this.#world = world;
    this.#tracer = tracer;
    this.#context = {
      cluster: world.cluster,
      probe: world.clients.probe(),
      clock: world.loop.clock,
      diedAlone: new Set(),
      givenUp: new Set(),
    };
    const connect = (endpoint: string): FullClient => world.clients.connect(endpoint);
    this.#workload = simWorkload(plan, connect, world.loop.clock, () => this.#isEnding);
    const context = this.#context;
    this.#administrator = new Administrator(world, { plan, context, signal: this.#abort.signal });
    this.#recorder = new Recorder(world.loop.clock, (line) => this.#onLine(line));
  }

  async run(): Promise<void> {
    const { cluster, loop } = this.#world;
    const names = expectedNames(this.#context);
    for (const name of names) await cluster.start(name);
    const { signal } = this.#abort;
    const unready = await waitUntilReadable(this.#context, READY_LIMIT_MS, signal, names);
    if (unready.length > 0) {
      return this.#stuck(`${unready.join(', ')} never answered a read after the start`);
    }
    this.#historyBaseNs = loop.nowNs;
    this.#recorder.rebase();
    const interpreter = this.#interpreter();
    await this.#safetyPhase(interpreter);
    if (await this.#livenessPhase()) {
      await interpreter.run(
        this.#workload.finalGenerator,
        this.#recorder.nowNs() + FINAL_LIMIT_MS * 1e6,
        this.#abort.signal,
      );
    }
    interpreter.close();
    this.#world.compareAll();
    this.#judge();
  }

  outcome(): SimOutcome {
    const { loop, hash, failure } = this.#world;
    hash.number(loop.events);
    hash.number(loop.nowNs);
    return {
      failure,
      traceHash: hash.digest(),
      events: loop.events,
      simulatedNs: loop.nowNs,
      history: this.#recorder.history,
      faults: this.#faults,
      recovery: this.#recovery,
      checks: this.#checks,
      historyBaseNs: this.#historyBaseNs,
    };
  }

  #interpreter(): Interpreter {
    const { workload: options } = this.#plan;
    return new Interpreter({
      workload: this.#workload,
      nodes: this.#world.cluster.nodes.slice(0, this.#plan.memberCount),
      concurrency: options.concurrency,
      opTimeoutMs: options.opTimeoutMs,
      random: this.#world.random.fork('workload'),
      clock: this.#world.loop.clock,
      recorder: this.#recorder,
    });
  }

  async #safetyPhase(interpreter: Interpreter): Promise<void> {
    const untilNs = this.#plan.safetyMs * 1e6;
    this.#tracePhase('safety phase', 'clients and faults');
    const [, , faults] = await Promise.all([
      this.#administrator.run(this.#historyBaseNs, untilNs),
      interpreter.run(this.#workload.generator, untilNs, this.#abort.signal),
      runSchedule({
        schedule: this.#plan.schedule,
        context: this.#context,
        recorder: this.#recorder,
        signal: this.#abort.signal,
        untilNs,
      }),
    ]);
    this.#faults = faults;
  }

  /**
   * Whoever is not of the core stays dead: a quorum must do without them. False: there can be no
   * quorum any more, and nobody is to blame.
   */
  async #livenessPhase(): Promise<boolean> {
    this.#isEnding = true;
    const { cluster, nodes, snapshotCrashes } = this.#world;
    const { core, electionMs } = this.#plan;
    snapshotCrashes.end();
    const { givenUp } = this.#context;
    for (const { name } of nodes) {
      if (core.includes(name) || givenUp.has(name)) continue;
      if (!this.#leavesQuorum(name)) continue;
      await cluster.kill(name);
      givenUp.add(name);
    }
    await this.#healEverything();
    const limitMs = recoveryLimitMs(electionMs) + this.#backlogMs();
    const over = new AbortController();
    const keeping = this.#plan.changes.length > 0 ? this.#keepMembers(over.signal) : undefined;
    const isRecovered = await this.#recoverAll(limitMs);
    if (isRecovered) {
      await this.#progress(limitMs);
      await this.#convergence(limitMs);
      await this.#removedEnd(limitMs);
      await this.#watchersTold(limitMs);
      await this.#leasesEnd(limitMs);
    }
    over.abort();
    await keeping;
    return isRecovered;
  }

  async #recoverAll(limitMs: number): Promise<boolean> {
    const { cluster } = this.#world;
    const { givenUp } = this.#context;
    this.#tracePhase('liveness phase', `without ${[...givenUp].join(', ') || 'loss'}`);
    this.#recovery = await recover(this.#context, limitMs, this.#abort.signal);
    // A member may notice only now what its disk refused it before: it is started once more.
    if (this.#recovery.unreadable.some((name) => cluster.node(name).life === undefined)) {
      this.#recovery = await recover(this.#context, limitMs, this.#abort.signal);
    }
    const unreadable = this.#recovery.unreadable.filter((name) => !givenUp.has(name));
    if (unreadable.length === 0) return true;
    if (this.#administrator.isStranded()) return false;
    this.#stuck(`${unreadable.join(', ')} answered no read within ${limitMs} ms of healing`);
    return true;
  }

  /**
   * Changes that were asked for may come to pass as long as their requests wait: whoever is added
   * by then is started, and whoever is removed is expected no more.
   */
  async #keepMembers(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      this.#administrator.settle();
      await sleep(this.#world.loop.clock, PROGRESS_RETRY_MS, until);
    }
  }

  /** Whoever was removed hears of it, and ends. */
  async #removedEnd(limitMs: number): Promise<void> {
    const { clock } = this.#world.loop;
    const gone = async (): Promise<boolean> => this.#administrator.lingering().length === 0;
    if (await waitUntil(clock, { intervalMs: PROGRESS_RETRY_MS, limitMs }, gone)) return;
    const names = this.#administrator.lingering().join(', ');
    this.#stuck(`${names} still runs ${limitMs} ms after healing, though it was removed`);
  }

  /** Every watcher that is still there and is read hears of everything. */
  async #watchersTold(limitMs: number): Promise<void> {
    const { clients, oracle, loop } = this.#world;
    for (const watch of clients.watches()) watch.resume();
    const lacking = (): string[] =>
      [...clients.watches()].flatMap(({ audit, node }) => {
        const words = audit.lacking(oracle.revision);
        return words === undefined ? [] : [`${node.name}: ${words}`];
      });
    const patienceMs = limitMs + this.#catchUpMs();
    const limits = { intervalMs: PROGRESS_RETRY_MS, limitMs: patienceMs };
    if (await waitUntil(loop.clock, limits, async () => lacking().length === 0)) return;
    this.#stuck(`${lacking()[0]} within ${patienceMs} ms of healing`, 'watch');
  }

  /** What was taken before the healing, over links and disks as slow as they were drawn. */
  #backlogMs(): number {
    const { member, network, disk } = this.#plan;
    const logs = this.#world.nodes.flatMap(({ life }) => life?.serving?.member.core.log ?? []);
    const last = Math.max(0, ...logs.map(({ lastIndex }) => lastIndex));
    const backlog = last - Math.min(last, ...logs.map(({ stable }) => stable));
    const roundMs = (2 * network.latencyUs[1] + disk.syncUs[1]) / 1_000;
    const entriesAtOnce =
      Math.max(1, member.maxMessageBytes / ENTRY_BYTES) * member.maxInflightMessages;
    return Math.ceil((backlog / entriesAtOnce) * roundMs);
  }

  /** All who watch, one after the other, from the first revision, a piece at a time. */
  #catchUpMs(): number {
    const { clients, oracle } = this.#world;
    const { heartbeatMs, electionMs, member, network } = this.#plan;
    const pieceMs = timingOf(heartbeatMs, electionMs).tickMs + network.clientLatencyUs[1] / 500;
    const watchers = [...clients.watches()].reduce((sum, { audit }) => sum + audit.size, 0);
    return Math.ceil((pieceMs * watchers * oracle.revision) / member.watchRowsMax);
  }

  /** Nobody keeps a lease alive any more. */
  async #leasesEnd(limitMs: number): Promise<void> {
    const { oracle, loop } = this.#world;
    const left = (): number => oracle.upkeep.leases.size;
    const longestMs =
      Math.max(0, ...[...oracle.upkeep.leases.values()].map(({ ttlS }) => ttlS)) * 1_000;
    const limits = { intervalMs: PROGRESS_RETRY_MS, limitMs: limitMs + longestMs };
    if (await waitUntil(loop.clock, limits, async () => left() === 0)) return;
    this.#stuck(`${left()} leases that nobody keeps alive did not end`, 'lease expiry');
  }

  async #healEverything(): Promise<void> {
    const { cluster, nodes } = this.#world;
    await cluster.setGrudge(new Map());
    await cluster.setLinkQuality(GOOD_LINKS);
    for (const { name } of nodes) {
      await cluster.setDiskFault(name, { type: 'none' });
      await cluster.setFsyncDelay(name, 0);
      await cluster.setSlowness(name, 0);
      await cluster.plugCable(name);
      await cluster.resume(name);
    }
  }

  /** Would a majority be left without it? */
  #leavesQuorum(name: string): boolean {
    const { nodes } = this.#world;
    const { givenUp } = this.#context;
    const left = nodes.filter((node) => node.name !== name && !givenUp.has(node.name)).length;
    return left * 2 > nodes.length;
  }

  /** A write through every member of the core. */
  async #progress(limitMs: number): Promise<void> {
    const { clients } = this.#world;
    for (const { name, clientUrl } of this.#healthyNodes()) {
      const kv = clients.connect(clientUrl);
      // Of a member that may be removed any moment the answer is not waited for so long.
      const timeoutMs = this.#plan.changes.length > 0 ? limitMs / 4 : limitMs;
      const wrote = await waitUntil(
        this.#world.loop.clock,
        { intervalMs: PROGRESS_RETRY_MS, limitMs },
        async () => this.#context.givenUp.has(name) || this.#writes(kv, name, { timeoutMs }),
      );
      if (!wrote) this.#stuck(`no write through ${name} within ${limitMs} ms of healing`);
    }
    this.#world.compareAll();
  }

  /** Or, if there is no space, the alarm is on for all to see, and room can be made. */
  async #writes(kv: KvClient, name: string, options: CallOptions): Promise<boolean> {
    const key = 'sim/progress';
    const put = await kv.put(putRequest({ key, value: name }), options);
    if (put.ok || put.error.message !== NO_SPACE) return put.ok;
    if (this.#world.oracle.upkeep.alarms.length === 0) return false;
    return (await kv.deleteRange(deleteRangeRequest({ key }), options)).ok;
  }

  /** Everybody applies what is committed. */
  async #convergence(limitMs: number): Promise<void> {
    const { invariants, loop } = this.#world;
    const behind = (): string[] =>
      this.#healthyNodes()
        .map(({ name }) => this.#world.cluster.node(name))
        .filter(({ life }) => {
          const applied = life?.serving?.member.machine.applied ?? 0;
          return applied < invariants.maxCommitted;
        })
        .map(({ name }) => name);
    const limits = { intervalMs: PROGRESS_RETRY_MS, limitMs };
    if (await waitUntil(loop.clock, limits, async () => behind().length === 0)) return;
    const indexes = `index ${invariants.maxCommitted} within ${limitMs} ms of healing`;
    this.#stuck(`${behind().join(', ')} did not apply ${indexes}`);
  }

  #healthyNodes(): readonly { readonly name: string; readonly clientUrl: string }[] {
    const { givenUp } = this.#context;
    return this.#world.cluster.nodes.filter(({ name }) => !givenUp.has(name));
  }

  #stuck(detail: string, name = 'progress'): void {
    this.#world.fail({ by: 'liveness', name, detail });
  }

  /** A short or scripted run may leave a checker without anything to say: no failure. */
  #judge(): void {
    const { checks } = checkAll(this.#workload.checkers, this.#recorder.history);
    this.#checks = checks;
    const invalid = checks.find(({ validity }) => validity === 'invalid');
    if (invalid === undefined) return;
    const detail = invalid.evidence?.sentence ?? invalid.summary;
    this.#world.fail({ by: 'checker', name: invalid.name, detail });
  }

  #onLine(line: string): void {
    this.#world.hash.text(line);
    if (this.#tracer === undefined) return;
    const entry = JSON.parse(line) as OpEntry;
    const atNs = this.#world.loop.nowNs;
    if (entry.process === 'nemesis') {
      const value = entry.value as {
        readonly fault: number;
        readonly step: string;
        readonly description: string;
        readonly nodes: readonly string[];
      };
      const { fault: id, step, description, nodes } = value;
      this.#tracer.trace({ type: 'fault', atNs, id, kind: entry.f, step, description, nodes });
      for (const node of this.#world.nodes) this.#world.traceNode(node);
      return;
    }
    this.#tracer.trace({
      type: 'op',
      atNs,
      process: entry.process,
      node: entry.node ?? '',
      step: entry.type,
      text: `${entry.f} ${JSON.stringify(entry.value)}${entry.error ? ` (${entry.error})` : ''}`,
    });
  }

  #tracePhase(kind: string, description: string): void {
    const atNs = this.#world.loop.nowNs;
    this.#tracer?.trace({
      type: 'fault',
      atNs,
      id: 0,
      kind,
      step: 'phase',
      description,
      nodes: [],
    });
  }
}
