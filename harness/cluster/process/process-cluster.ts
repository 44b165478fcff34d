/**
 * A cluster of plain processes on loopback, for machines without Docker.
 *
 * | fault     | mechanism                                                                      |
 * |-----------|--------------------------------------------------------------------------------|
 * | kill      | SIGKILL to the member's process group (server and disk)                        |
 * | pause     | SIGSTOP to the group                                                           |
 * | partition | peers dial each other through proxies in a process of their own (`links/`)     |
 * | links     | the same proxies hold bytes back, reset connections, refuse dials              |
 * | disk      | FUSE pass-through in front of the data directory, in the group's own mount     |
 * |           | namespace, so that it dies with the group                                      |
 *
 * In the run directory: `<node>.log` and `links.log`, `data/<node>` (removed at the end unless
 * asked for), `mnt/<node>` (empty as seen from outside the namespaces; removed at the end).
 */

import { closeSync, copyFileSync, existsSync, rmdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Result } from '../../../src/lib/result.ts';
import { LocalSideCluster } from '../../administration/side-member.ts';
import { damageLog } from '../../disk/damage-log.ts';
import type { DirectedLink } from '../../network/link-quality.ts';
import type { LinkSettings } from '../../network/link-settings.ts';
import type { LinkTally } from '../../network/link-tally.ts';
import { ShapedCluster } from '../../network/shaped-cluster.ts';
import { seededRandom } from '../../seeded-random.ts';
import { FaultAtlas } from '../../sim/disk/fault-atlas.ts';
import {
  type CapabilityReport,
  type Cluster,
  type ClusterConfig,
  ClusterError,
  type ClusterNode,
  type DiskCounter,
  type DiskFault,
  type DiskFaultTally,
  type Grudge,
  type LinkCounter,
  type PowerLoss,
  type PowerLossReport,
} from '../cluster.ts';
import { noteLie } from '../disk-capabilities.ts';
import {
  type FailpointControl,
  Failpoints,
  failpointEnvironment,
  failpointReport,
  hasFailpoints,
  requestFailpoint,
} from '../failpoint-control.ts';
import { type TlsControl, tlsReport } from '../tls-files.ts';
import { capabilitiesWith, describeEnvironment } from './capabilities.ts';
import { probeDisk } from './disk-probe.ts';
import { Links } from './links/links.ts';
import { boundLogs, openLog } from './log-file.ts';
import { Member } from './member.ts';
import { memberId } from './member-id.ts';
import { choosePorts } from './ports.ts';
import { ProcessControl } from './process-control.ts';
import { killGroup, signalGroup } from './process-table.ts';
import {
  childEnvironment,
  clientUrl,
  type MemberAddress,
  peerUrl,
  serverCommand,
  tlsPath,
  type Unshare,
} from './programs.ts';
import { awaitListening, isPortTaken } from './readiness.ts';
import { memoryDirectory, Registration, unmountBelow } from './registry.ts';
import { instrumentedCommand, ProcessResources, processResourceReports } from './resources.ts';
import { TlsDirectory } from './tls-directory.ts';

export { sweepProcesses } from './registry.ts';

/** Another process may take a port between choosing it and listening on it. */
const OPEN_ATTEMPTS_MAX = 3;
const PORTS_PER_MEMBER = 4;

export interface ProcessClusterOptions {
  /** Hears one line per step of the start. */
  readonly onProgress?: (line: string) => void;
  /** Leave `data/` in the run directory when the cluster is disposed of. */
  readonly keepData?: boolean;
}

/**
 * Starts all members; resolves when each accepts client connections. Throws {@link ClusterError}
 * with a member's last log lines when one does not come up; nothing is left running then.
 */
export async function openProcessCluster(
  config: ClusterConfig,
  options: ProcessClusterOptions = {},
): Promise<Cluster> {
  const onProgress = options.onProgress ?? (() => undefined);
  const environment = childEnvironment();
  const disk = await probeDisk(environment);
  if (config.disk !== undefined && !disk.ok) {
    throw new ClusterError(`a synthetic disk needs FUSE: ${disk.error}`);
  }
  onProgress(disk.ok ? 'disk: FUSE, in mount namespaces' : `disk: plain (${disk.error})`);
  for (let attempt = 1; ; attempt++) {
    const cluster = await ProcessCluster.create(config, {
      ...options,
      onProgress,
      environment,
      disk,
      attempt,
    });
    try {
      await cluster.open();
      return cluster;
    } catch (error) {
      await cluster.abandon();
      if (attempt === OPEN_ATTEMPTS_MAX || !isPortTaken(error)) throw error;
      onProgress('a port was taken meanwhile: starting over with others');
    }
  }
}

interface Setup extends ProcessClusterOptions {
  readonly onProgress: (line: string) => void;
  readonly environment: NodeJS.ProcessEnv;
  readonly disk: Result<Unshare, string>;
  readonly attempt: number;
}

class ProcessCluster extends ShapedCluster implements Cluster {
  readonly backend = 'process';
  readonly nodes: readonly ClusterNode[];
  readonly tls?: TlsControl;
  readonly capabilities: readonly CapabilityReport[];
  readonly environment: readonly { readonly name: string; readonly value: string }[];
  readonly control: ProcessControl;
  readonly failpoints?: FailpointControl;
  readonly resources: ProcessResources;
  readonly #config: ClusterConfig;
  readonly #setup: Setup;
  readonly #addresses: readonly MemberAddress[];
  readonly #members: ReadonlyMap<string, Member>;
  readonly #pulled = new Set<string>();
  readonly #registration: Registration;
  readonly #ended = new AbortController();
  readonly #atlas: FaultAtlas;
  #links: Links | undefined;
  readonly #certificates: TlsDirectory | undefined;

  static async create(config: ClusterConfig, setup: Setup): Promise<ProcessCluster> {
    const seed = `${config.runId}/${setup.attempt}`;
    const wanted = hasFailpoints(config) ? PORTS_PER_MEMBER + 1 : PORTS_PER_MEMBER;
    const ports = await choosePorts(wanted * config.memberCount, seed);
    const addresses = Array.from({ length: config.memberCount }, (_, i) => {
      const [client, peer, proxy, diskControl] = ports.slice(PORTS_PER_MEMBER * i);
      return {
        name: `n${i + 1}`,
        ports: {
          client: client!,
          peer: peer!,
          proxy: proxy!,
          diskControl: diskControl!,
          ...(hasFailpoints(config) && {
            failpoints: ports[PORTS_PER_MEMBER * config.memberCount + i]!,
          }),
        },
      };
    });
    return new ProcessCluster(
      config,
      setup,
      addresses,
      await describeEnvironment(config.target, setup.disk),
    );
  }

  private constructor(
    config: ClusterConfig,
    setup: Setup,
    addresses: readonly MemberAddress[],
    environment: Cluster['environment'],
  ) {
    super();
    this.#config = config;
    this.#setup = setup;
    this.#addresses = addresses;
    this.#atlas = new FaultAtlas(config.memberCount, { allowsAll: false });
    this.#registration = new Registration(config.runId, this.#path('mnt'));
    this.#members = new Map(addresses.map((address) => [address.name, this.#member(address)]));
    const nodes = addresses.map(({ name, ports }) => ({
      name,
      clientUrl: clientUrl(ports, config),
    }));
    this.#certificates = config.tls === true ? new TlsDirectory(tlsPath(config), nodes) : undefined;
    this.nodes = this.#certificates?.secured(nodes) ?? nodes;
    if (this.#certificates !== undefined) this.tls = this.#certificates.tls;
    this.capabilities = [
      ...capabilitiesWith(setup.disk, config.target),
      tlsReport(config.tls === true),
      ...processResourceReports(config),
      failpointReport(config, 'GOFAIL_HTTP of the server'),
    ];
    this.environment = environment;
    this.control = this.#administered();
    if (hasFailpoints(config)) this.failpoints = this.#openFailpoints();
    this.resources = new ProcessResources(config, this.nodeNames(), (node) => this.#memberOf(node));
  }

  /** Launches links and members. On failure call {@link abandon}. */
  async open(): Promise<void> {
    process.once('exit', this.#killNow);
    boundLogs(
      [...this.#members.keys()].map((name) => this.#path(`${name}.log`)),
      this.#ended.signal,
    );
    await this.#openLinks();
    await Promise.all([...this.#members.values()].map((member) => member.start()));
    await Promise.all(
      this.#addresses.map(({ name, ports }) => awaitListening(this.#memberOf(name), ports.client)),
    );
    this.#setup.onProgress(`${this.#members.size} members accept clients`);
  }

  kill(node: string): Promise<void> {
    return this.#memberOf(node).kill();
  }

  async start(node: string): Promise<void> {
    await this.#memberOf(node).start();
    await this.resources.returned(node);
  }

  async isRunning(node: string): Promise<boolean> {
    return this.#memberOf(node).isRunning;
  }

  async pause(node: string): Promise<void> {
    this.#memberOf(node).pause();
  }

  async resume(node: string): Promise<void> {
    await this.#memberOf(node).resume();
    await this.resources.returned(node);
  }

  async setGrudge(grudge: Grudge): Promise<void> {
    const cuts: DirectedLink[] = [];
    for (const [to, sources] of grudge) {
      this.#memberOf(to);
      for (const from of sources) cuts.push({ from: this.#memberOf(from).name, to });
    }
    await this.#openedLinks().setCuts(cuts);
  }

  async linkCounters(): Promise<readonly LinkCounter[]> {
    return (await this.#openedLinks().readings()).counters;
  }

  async linkTally(): Promise<LinkTally> {
    return (await this.#openedLinks().readings()).tally;
  }

  async resetConnections(links: readonly DirectedLink[]): Promise<void> {
    for (const { from, to } of links) for (const node of [from, to]) this.#memberOf(node);
    await this.#openedLinks().reset(links);
  }

  async pullCable(node: string): Promise<void> {
    this.#pulled.add(this.#memberOf(node).name);
    await this.#openedLinks().setPulled([...this.#pulled]);
  }

  async plugCable(node: string): Promise<void> {
    this.#pulled.delete(this.#memberOf(node).name);
    await this.#openedLinks().setPulled([...this.#pulled]);
  }

  setClock(node: string, change: { driftPercent: number; jumpMs: number }): Promise<void> {
    return this.resources.changeClock(node, change);
  }

  clockOffsetMs(node: string): Promise<number> {
    return this.resources.clockOffsetMs(node);
  }

  setFsyncDelay(node: string, delayMs: number): Promise<void> {
    return this.#memberOf(node).setFsyncDelay(delayMs);
  }

  diskCounter(node: string): Promise<DiskCounter> {
    return this.#memberOf(node).diskCounter();
  }

  async setDiskFault(node: string, fault: DiskFault): Promise<void> {
    noteLie(this.#atlas, node, fault);
    return this.#memberOf(node).setDiskFault(this.#withBase(fault));
  }

  async diskFaultTally(node: string): Promise<DiskFaultTally> {
    return this.#memberOf(node).diskFaultTally();
  }

  async damageDisk(
    node: string,
    how: 'bit-rot' | 'misdirected-write',
  ): Promise<string | undefined> {
    if (this.#memberOf(node).isRunning) throw new ClusterError(`${node} runs: kill it first`);
    if (!this.#atlas.mayDestroy(node)) return undefined;
    const random = seededRandom(0).fork(`${this.#config.runId}/${node}`);
    const what = damageLog(this.#backing(node), how, random);
    if (what !== undefined) this.#atlas.noteDestroyed(node);
    return what;
  }

  failPower(node: string, loss: PowerLoss): Promise<PowerLossReport> {
    return this.#memberOf(node).failPower(loss);
  }

  async collectLogs(directory: string): Promise<void> {
    if (resolve(directory) === resolve(this.#config.runDirectory)) return;
    for (const { name } of this.nodes) {
      copyFileSync(this.#path(`${name}.log`), join(directory, `${name}.log`));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (this.#setup.keepData ? this.#end() : this.abandon());
  }

  /** As after a failed {@link open}: nothing is worth keeping but the logs. */
  async abandon(): Promise<void> {
    await this.#end();
    rmSync(this.#path('data'), { recursive: true, force: true });
    rmSync(memoryDirectory(this.#config.runId), { recursive: true, force: true });
  }

  async #end(): Promise<void> {
    this.#ended.abort();
    await Promise.all([...this.#members.values()].map((member) => member.kill()));
    if (this.#links !== undefined) await killGroup(this.#links.pid);
    await this.resources.close();
    unmountBelow(this.#path('mnt'));
    for (const { name } of this.nodes) removeEmpty(this.#path('mnt', name));
    removeEmpty(this.#path('mnt'));
    this.#certificates?.remove();
    this.#registration.close();
    process.off('exit', this.#killNow);
  }

  /** However the harness ends, unless by SIGKILL: then the next sweep does it. */
  readonly #killNow = (): void => {
    for (const member of this.#members.values()) member.killNow();
    if (this.#links !== undefined) signalGroup(this.#links.pid, 'SIGKILL');
  };

  async #openLinks(): Promise<void> {
    const { runId, target } = this.#config;
    const members = this.#addresses.map(({ name, ports }) => ({
      name,
      id: memberId(peerUrl(ports, this.#config), runId),
      proxyPort: ports.proxy,
      peerPort: ports.peer,
    }));
    const logFd = openLog(this.#path('links.log'));
    try {
      this.#links = await Links.open(
        { protocol: this.#config.tls === true ? 'tls' : target.kind, members },
        {
          runId,
          logFd,
          environment: this.#setup.environment,
          onSpawn: (pid) => this.#registration.add(pid),
        },
      );
    } finally {
      closeSync(logFd);
    }
  }

  protected override async applyLinkSettings(settings: LinkSettings): Promise<void> {
    await this.#openedLinks().setQualities(settings.among(this.nodeNames()));
  }

  #openedLinks(): Links {
    if (this.#links === undefined) throw new ClusterError('the cluster is not open');
    return this.#links;
  }

  #member(address: MemberAddress): Member {
    const { disk, environment } = this.#setup;
    const { name, ports } = address;
    const [mount, backing] = [this.#path('mnt', name), this.#backing(name)];
    const dataDirectory = disk.ok ? mount : backing;
    return new Member({
      name,
      command: instrumentedCommand(
        this.#config,
        name,
        serverCommand(this.#config, { ...address, dataDirectory }, this.#addresses),
      ),
      disk: disk.ok
        ? {
            kind: 'fuse',
            unshare: disk.value,
            controlPort: ports.diskControl,
            state: join(backing, '..', '.disk', name),
          }
        : { kind: 'plain', reason: disk.error },
      mount,
      backing,
      logPath: this.#path(`${name}.log`),
      environment: { ...environment, ...failpointEnvironment(ports.failpoints) },
      registration: this.#registration,
      diskFault: this.#withBase({ type: 'none' }),
    });
  }

  #openFailpoints(): FailpointControl {
    const portOf = (node: string): number | undefined =>
      this.#addresses.find(({ name }) => name === this.#memberOf(node).name)?.ports.failpoints;
    return new Failpoints({
      request: async (node, request) =>
        requestFailpoint(`http://127.0.0.1:${portOf(node)}`, request),
      logTail: async (node) => this.#memberOf(node).logTail,
    });
  }

  #administered(): ProcessControl {
    const { runId, target } = this.#config;
    const ports = new Map(this.#addresses.map((address) => [address.name, address.ports]));
    return new ProcessControl({
      memberOf: (node) => this.#memberOf(node),
      start: (node) => this.start(node),
      backing: (node) => this.#backing(node),
      peerUrl: (node) => peerUrl(ports.get(this.#memberOf(node).name)!, this.#config),
      links: () => this.#openedLinks(),
      atlas: this.#atlas,
      side: new LocalSideCluster({ target, runId, directory: this.#path('data') }),
    });
  }

  /** Where a member's files are; in memory if its disk is synthetic. */
  #backing(node: string): string {
    const { disk, runId } = this.#config;
    return disk === undefined ? this.#path('data', node) : join(memoryDirectory(runId), node);
  }

  #withBase(fault: DiskFault): DiskFault {
    return fault.type === 'none' ? (this.#config.disk?.fault ?? fault) : fault;
  }

  #memberOf(node: string): Member {
    const member = this.#members.get(node);
    if (member === undefined) throw new ClusterError(`there is no node ${node}`);
    return member;
  }

  #path(...segments: readonly string[]): string {
    return resolve(this.#config.runDirectory, ...segments);
  }
}

/** Never more than a directory: should a disk still be mounted there, its data stays. */
function removeEmpty(directory: string): void {
  if (existsSync(directory)) rmdirSync(directory);
}
