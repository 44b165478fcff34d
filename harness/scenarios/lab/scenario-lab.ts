/**
 * What a scenario works with: clusters that end with the try, clients, the history, and waiting
 * that ends when the try does.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answered, EtcdClient } from '../../../src/client/etcd-client.ts';
import type { Random } from '../../../src/ports/random.ts';
import type { StatusMessage } from '../../../src/wire/maintenance-messages.ts';
import type { BackendChoice } from '../../backends.ts';
import type { Cluster, ClusterNode, Target } from '../../cluster/cluster.ts';
import { choosePorts } from '../../cluster/process/ports.ts';
import { Registration } from '../../cluster/process/registry.ts';
import { type OpenedCluster, openCluster } from '../../open-cluster.ts';
import { Recorder } from '../../recorder.ts';
import type { Services } from '../../services.ts';
import { RunDirectory } from '../../store.ts';
import { sleep } from '../../timing.ts';
import { type TargetKind, Undecided } from '../scenario.ts';
import { type Place, Program, type ProgramOptions } from './program.ts';

export interface LabOptions {
  readonly services: Services;
  readonly name: string;
  readonly target: Target;
  readonly choice: BackendChoice;
  readonly runsDirectory: string;
  readonly random: Random;
  /** Aborted when the try is over, by time or by the user. */
  readonly signal: AbortSignal;
}

export interface Shape {
  readonly members: number;
  readonly flags?: readonly string[];
  readonly heartbeatMs?: number;
  readonly electionMs?: number;
}

const HEARTBEAT_MS = 50;
const ELECTION_MS = 500;
const POLL_MS = 20;
/** A step that took longer was no wait of ours: the machine slept, or stood still. */
const STEP_MS_MAX = 2_000;
/** For one request of a scenario that does not say. */
const CALL_MS = 5_000;
const LEADER_MS_MAX = 20_000;
/** With the start of a program on a busy machine. */
const SERVE_MS_MAX = 45_000;
const STATUS_MS = 400;
const PAGE_MS = 2_000;
/** A run's id is part of the names of containers, which are bounded. */
const LABEL_CHARACTERS_MAX = 20;

export class ScenarioLab implements AsyncDisposable {
  readonly target: TargetKind;
  readonly random: Random;
  recorder: Recorder;
  readonly directories: string[] = [];
  readonly #options: LabOptions;
  readonly #clusters: OpenedCluster[] = [];
  readonly #clients = new Map<string, EtcdClient>();
  readonly #programs: Program[] = [];
  #registration: Registration | undefined;

  constructor(options: LabOptions) {
    this.#options = options;
    this.target = options.target.kind;
    this.random = options.random;
    this.recorder = new Recorder(options.services.clock, () => undefined);
  }

  /** A history of its own for what follows: another cluster has other keys. */
  startOver(): void {
    this.recorder = new Recorder(this.#options.services.clock, () => undefined);
  }

  get signal(): AbortSignal {
    return this.#options.signal;
  }

  /** Members that accept clients; throws ClusterError when they cannot be had. */
  async open(shape: Shape): Promise<LabCluster> {
    const { services, choice, runsDirectory, name, target } = this.#options;
    const opened = await openCluster(quiet(services), {
      choice,
      runsDirectory,
      label: name.slice(0, LABEL_CHARACTERS_MAX),
      config: {
        memberCount: shape.members,
        heartbeatMs: shape.heartbeatMs ?? HEARTBEAT_MS,
        electionMs: shape.electionMs ?? ELECTION_MS,
        target,
        serverFlags: shape.flags ?? [],
      },
    });
    this.#clusters.push(opened);
    this.directories.push(opened.directory.path);
    this.#checkTime();
    return new LabCluster(this, opened.cluster, opened.directory.path);
  }

  /** Before the try is over, for the sake of the next one. */
  async close({ cluster }: LabCluster): Promise<void> {
    const at = this.#clusters.findIndex((opened) => opened.cluster === cluster);
    const [opened] = this.#clusters.splice(at, 1);
    await opened?.cluster[Symbol.asyncDispose]();
  }

  /** Kept for the whole try; it reconnects by itself. */
  client(url: string): EtcdClient {
    const known = this.#clients.get(url);
    if (known !== undefined) return known;
    const client = new EtcdClient({ endpoint: url, timeoutMs: CALL_MS });
    this.#clients.set(url, client);
    return client;
  }

  /** A run directory without a cluster, for what {@link launch} starts. */
  directory(label: string): string {
    const { services, name, runsDirectory } = this.#options;
    const unique = `${services.processId}-${this.random.below(2 ** 32)}`;
    const { path } = RunDirectory.create(runsDirectory, `${name}-${label}-${unique}`);
    this.directories.push(path);
    return path;
  }

  /** Addresses that nobody listens on, for {@link launch}. */
  async places(names: readonly string[]): Promise<readonly Place[]> {
    const { services, name } = this.#options;
    const seed = `${name}/${services.processId}/${this.random.below(2 ** 32)}`;
    const ports = await choosePorts(2 * names.length, seed);
    return names.map((placed, at) => ({
      name: placed,
      clientUrl: `http://127.0.0.1:${ports[2 * at]}`,
      peerUrl: `http://127.0.0.1:${ports[2 * at + 1]}`,
    }));
  }

  launch(options: Omit<ProgramOptions, 'target' | 'registration'>): Program {
    const { services, name, target } = this.#options;
    const runId = `storm-${name}-${services.processId}-${this.random.below(2 ** 32)}`;
    this.#registration ??= new Registration(runId, join(options.dataDirectory, 'no-mounts'));
    const flags = [
      `--heartbeat-interval=${HEARTBEAT_MS}`,
      `--election-timeout=${ELECTION_MS}`,
      ...options.flags,
    ];
    const registration = this.#registration;
    const program = new Program({ ...options, flags, target, registration });
    this.#programs.push(program);
    return program;
  }

  nowMs(): number {
    return this.#options.services.clock.nowNs() / 1e6;
  }

  async sleep(delayMs: number): Promise<void> {
    await sleep(this.#options.services.clock, delayMs, this.signal);
    this.#checkTime();
  }

  /** As {@link sleep}, and no error at the end of the try. */
  pause(delayMs: number): Promise<void> {
    return sleep(this.#options.services.clock, delayMs, this.signal);
  }

  /** Asks until there is something; undefined after `limitMs`. Throws when the try is over. */
  async look<Value>(
    limitMs: number,
    see: () => Promise<Value | undefined> | Value | undefined,
  ): Promise<Value | undefined> {
    let waitedMs = 0;
    for (let lastMs = this.nowMs(); ; ) {
      const seen = await see();
      if (seen !== undefined) return seen;
      this.#checkTime();
      if (waitedMs >= limitMs) return undefined;
      await this.pause(POLL_MS);
      const nowMs = this.nowMs();
      waitedMs += Math.min(nowMs - lastMs, STEP_MS_MAX);
      lastMs = nowMs;
    }
  }

  /** As {@link look}, where a scenario cannot go on without: undecided then. */
  async need<Value>(
    what: string,
    limitMs: number,
    see: () => Promise<Value | undefined> | Value | undefined,
  ): Promise<Value> {
    const seen = await this.look(limitMs, see);
    if (seen === undefined) throw new Undecided(`never: ${what}`);
    return seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.values()) client.close();
    await Promise.all(this.#programs.map((program) => program.kill()));
    this.#registration?.close();
    for (const { cluster, directory } of this.#clusters) {
      await cluster.collectLogs(directory.logsDirectory).catch(() => undefined);
      await cluster[Symbol.asyncDispose]();
    }
  }

  #checkTime(): void {
    if (this.signal.aborted) throw new Undecided('the time limit of a try was reached');
  }
}

/** An opened cluster, as scenarios see it. */
export class LabCluster {
  readonly lab: ScenarioLab;
  readonly cluster: Cluster;
  readonly nodes: readonly ClusterNode[];
  readonly #directory: string;
  readonly #logStarts = new Map<string, number>();

  constructor(lab: ScenarioLab, cluster: Cluster, directory: string) {
    this.lab = lab;
    this.cluster = cluster;
    this.nodes = cluster.nodes;
    this.#directory = directory;
  }

  node(at: number): ClusterNode {
    const node = this.nodes[at];
    if (node === undefined) throw new Undecided(`there is no member ${at}`);
    return node;
  }

  client(node: ClusterNode): EtcdClient {
    return this.lab.client(node.clientUrl);
  }

  others(...without: readonly ClusterNode[]): readonly ClusterNode[] {
    return this.nodes.filter((node) => !without.includes(node));
  }

  /** The one of `among` that leads, once all of them that answer agree. */
  leader(
    among: readonly ClusterNode[] = this.nodes,
    limitMs: number = LEADER_MS_MAX,
  ): Promise<ClusterNode> {
    return this.lab.need('a leader', limitMs, () => this.lookForLeader(among));
  }

  async lookForLeader(among: readonly ClusterNode[]): Promise<ClusterNode | undefined> {
    const answers = await Promise.all(
      among.map((node) => this.client(node).status({ timeoutMs: STATUS_MS })),
    );
    const leaders = new Set(answers.map((answer) => answer.ok && answer.value.leader));
    const at = answers.findIndex(
      (answer) => answer.ok && answer.value.leader === answer.value.header.memberId,
    );
    return leaders.size === 1 ? among[at] : undefined;
  }

  /** Resolves when each answers a linearizable read. */
  async serve(
    nodes: readonly ClusterNode[] = this.nodes,
    limitMs: number = SERVE_MS_MAX,
  ): Promise<void> {
    const serves = async (node: ClusterNode): Promise<true | undefined> => {
      const answer = await this.client(node).get('storm/ready', { timeoutMs: 1_000 });
      return answer.ok ? true : undefined;
    };
    await Promise.all(
      nodes.map((node) => this.lab.need(`${node.name} serves`, limitMs, () => serves(node))),
    );
  }

  async status(node: ClusterNode): Promise<Answered<StatusMessage> | undefined> {
    const answer = await this.client(node).status({ timeoutMs: STATUS_MS });
    return answer.ok ? answer.value : undefined;
  }

  /** HTTP status and body of a page of the member; undefined: no answer. */
  async page(
    node: ClusterNode,
    path: string,
    timeoutMs: number = PAGE_MS,
  ): Promise<{ readonly status: number; readonly text: string } | undefined> {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await fetch(`${node.clientUrl}${path}`, { signal });
      return { status: response.status, text: await response.text() };
    } catch {
      // Whatever kept it from answering: to its users it has not answered.
      return undefined;
    }
  }

  /** Where the member's files are while it is dead; on processes only. */
  dataOf(node: ClusterNode): string {
    return join(this.#directory, 'data', node.name);
  }

  /** Beside the members' files. */
  path(...segments: readonly string[]): string {
    return join(this.#directory, ...segments);
  }

  /** What the member has logged since {@link startAgain}. */
  async logOf(node: ClusterNode): Promise<string> {
    return (await this.#wholeLog(node)).slice(this.#logStarts.get(node.name) ?? 0);
  }

  /** Starts a dead member; from now on its log is what it says in this life. */
  async startAgain(node: ClusterNode): Promise<void> {
    this.#logStarts.set(node.name, (await this.#wholeLog(node)).length);
    await this.cluster.start(node.name);
  }

  async #wholeLog(node: ClusterNode): Promise<string> {
    const inPlace = this.path(`${node.name}.log`);
    if (existsSync(inPlace)) return readFileSync(inPlace, 'utf8');
    await this.cluster.collectLogs(this.path('logs'));
    return readFileSync(this.path('logs', `${node.name}.log`), 'utf8');
  }
}

/** A try says what it has to say in one line. */
function quiet(services: Services): Services {
  return { ...services, progress: { print: () => undefined, live: services.progress.live } };
}
