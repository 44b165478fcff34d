/** What is worth knowing about what a run ran, and about the machine that it ran on. */
import { existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../src/ports/clock.ts';
import type { Cluster, Target } from './cluster/cluster.ts';
import type { MemberProbe } from './member-probe.ts';
import { CODE_FIELD, codeVersion } from './sim/code-version.ts';
import type { Environment } from './store.ts';
import { sleep } from './timing.ts';

/** What the members are, as far as it is known. */
export interface Ran {
  readonly target: Target;
  /** From {@link measureVersions}. */
  readonly versions: Environment;
}

/** `backendReason`: why the run got its backend. */
export function describeEnvironment(
  cluster: Cluster,
  backendReason: string,
  ran?: Ran,
): Environment {
  const missing = cluster.capabilities.filter((capability) => !capability.available);
  const known = new Set(cluster.environment.map((each) => each.name));
  const others = [
    ...(ran === undefined ? [] : describeTarget(ran.target)),
    { name: 'node', value: process.version },
    { name: 'system', value: `${type()} ${release()}, ${cpus().length} CPUs` },
    { name: 'memory', value: `${Math.round(totalmem() / 2 ** 30)} GiB` },
    { name: 'load average at start', value: (loadavg()[0] ?? 0).toFixed(2) },
  ];
  return [
    { name: 'backend', value: `${cluster.backend} (${backendReason})` },
    ...cluster.environment,
    ...(ran?.versions ?? []),
    ...cluster.capabilities.map(({ capability, available, detail }) => ({
      name: `fault mechanism: ${capability}`,
      value: available ? detail : `none: ${detail}`,
    })),
    ...(missing.length > 0
      ? [{ name: 'not possible', value: missing.map((each) => each.capability).join(', ') }]
      : []),
    ...others.filter((each) => !known.has(each.name)),
  ];
}

/** What is known of the target without asking its members. */
function describeTarget(target: Target): Environment {
  if (target.kind === 'etcd') {
    const { path, image } = target;
    return [
      { name: 'target', value: `etcd at ${path}` },
      ...(image === undefined ? [] : [{ name: 'target image', value: image }]),
    ];
  }
  const code = codeOf(target.root);
  const commit = commitOf(target.root);
  return [
    { name: 'target', value: `stormraft at ${target.root}` },
    ...(code === undefined ? [] : [{ name: CODE_FIELD, value: code }]),
    ...(commit === undefined ? [] : [{ name: 'commit', value: commit }]),
  ];
}

/** An edited copy may be of the server alone. */
function codeOf(root: string): string | undefined {
  try {
    return codeVersion(root);
  } catch {
    return undefined;
  }
}

/** What is checked out there; the files may have been edited since. */
function commitOf(root: string): string | undefined {
  try {
    const git = join(root, '.git');
    const head = readFileSync(join(git, 'HEAD'), 'utf8').trim();
    const ref = /^ref: (\S+)$/.exec(head)?.[1];
    if (ref === undefined) return head;
    if (existsSync(join(git, ref))) return readFileSync(join(git, ref), 'utf8').trim();
    const packed = readFileSync(join(git, 'packed-refs'), 'utf8').split('\n');
    return packed.find((line) => line.endsWith(` ${ref}`))?.split(' ')[0];
  } catch {
    // No checkout: the code's own hash tells it apart.
    return undefined;
  }
}

/** Members that have not said it by then are waited for elsewhere. */
const VERSIONS_MS_MAX = 10_000;
const STATUS_TIMEOUT_MS = 500;
const RETRY_MS = 100;

/** The version that each member says it is of; one entry, or none if none says it. */
export async function measureVersions(
  { nodes, backend }: Cluster,
  probe: MemberProbe,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Environment> {
  // There is no other code in a simulation, and questions would change its course.
  if (backend === 'sim') return [];
  const until = clock.nowNs() + VERSIONS_MS_MAX * 1e6;
  const said = await Promise.all(
    nodes.map(async (node) => {
      while (!signal.aborted && clock.nowNs() < until) {
        const reading = await probe.status(node, STATUS_TIMEOUT_MS);
        if (reading !== undefined) return { node: node.name, version: reading.version };
        await sleep(clock, RETRY_MS, signal);
      }
      return { node: node.name, version: undefined };
    }),
  );
  const versions = new Map<string, string[]>();
  for (const { node, version } of said) {
    if (version === undefined || version === '') continue;
    versions.set(version, [...(versions.get(version) ?? []), node]);
  }
  if (versions.size === 0) return [];
  const words = [...versions].map(([version, members]) => `${version} (${members.join(', ')})`);
  return [{ name: 'target version', value: words.join('; ') }];
}
