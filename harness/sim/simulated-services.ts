/**
 * The surroundings of a command whose cluster is simulated: the same stages, nemeses, checkers
 * and reports, on virtual time. What stays real are the files that the command writes.
 */
import type { Checker, CheckResult } from '../../checkers/checker.ts';
import { prefixEnd, putRequest, rangeRequest } from '../../src/client/requests.ts';
import { assert } from '../../src/lib/assert.ts';
import { utf8Decode } from '../../src/lib/utf8.ts';
import { defaultWorkload } from '../../workloads/default-workload.ts';
import type { BackendDriver, Backends } from '../backends.ts';
import { type ClusterConfig, ClusterError } from '../cluster/cluster.ts';
import { exitCodeOf } from '../exit-code.ts';
import type { KeyClient } from '../key-client.ts';
import { RUN_DEFAULTS } from '../options.ts';
import type { Services } from '../services.ts';
import { INVARIANTS_CHECK } from '../verdict.ts';
import { CODE_FIELD, codeVersion } from './code-version.ts';
import { failureWords } from './failure-line.ts';
import { SimLoop } from './loop.ts';
import type { WorldPlan } from './plan.ts';
import { SimWorld } from './world.ts';

/** A report takes its time to write, and nothing is simulated meanwhile. */
const REAL_FILES_TURNS_MAX = 100_000_000;

/**
 * Runs the command to its end on a simulated cluster whose chances come from the seed. Its status
 * is that of an invalid run if an invariant broke, whatever the command makes of it.
 */
export function inSimulation(
  services: Services,
  seed: number,
  command: (services: Services) => Promise<number>,
): Promise<number> {
  const loop = new SimLoop({ idleTurnsMax: REAL_FILES_TURNS_MAX });
  const worlds: SimWorld[] = [];
  const done = command(simulatedServices(services, seed, { loop, worlds })).then((status) => {
    const failure = worlds.map((world) => world.failure).find((each) => each !== undefined);
    if (failure === undefined) return status;
    services.progress.print(`simulation: ${failureWords(failure)}`);
    return exitCodeOf('invalid');
  });
  return loop.drive(done);
}

/** `worlds` gets every cluster that is opened. */
function simulatedServices(
  services: Services,
  seed: number,
  { loop, worlds }: { readonly loop: SimLoop; readonly worlds: SimWorld[] },
): Services {
  let opened: SimWorld | undefined;
  const here = (): SimWorld => {
    assert(opened !== undefined, 'the cluster is opened first');
    return opened;
  };
  const sim: BackendDriver = {
    probe: async () => ({ available: true, detail: 'simulated' }),
    open: async (config) => {
      const world = new SimWorld(planOf(config, seed), {
        loop,
        environment: [{ name: CODE_FIELD, value: codeVersion() }],
      });
      opened = world;
      worlds.push(world);
      for (const { name } of world.nodes) await world.cluster.start(name);
      return world.cluster;
    },
    sweep: async () => ({}),
  };
  const invariants = (): Checker => ({
    name: INVARIANTS_CHECK,
    check: () => invariantsCheck(opened),
  });
  return {
    ...services,
    clock: loop.clock,
    backends: { ...NOTHING_REAL, sim },
    openProbe: () => here().clients.probe(),
    openKeyClient: ({ clientUrl }) => keyClient(here(), clientUrl),
    workload: ({ concurrency, ratePerSecond, memberCount }) => {
      const workload = defaultWorkload({
        connect: (endpoint) => here().clients.connect(endpoint),
        concurrency,
        opsPerSecond: ratePerSecond,
        memberCount,
      });
      return { ...workload, checkers: [...workload.checkers, invariants()] };
    },
  };
}

/** There is nothing to sweep, and nobody to ask. */
const NOTHING_REAL: Backends = {
  docker: absent('docker'),
  process: absent('process'),
};

function absent(backend: 'docker' | 'process'): BackendDriver {
  return {
    probe: async () => ({ available: false, detail: 'not in a simulation' }),
    open: () => Promise.reject(new ClusterError(`--cluster ${backend}: not in a simulation`)),
    sweep: async () => ({}),
  };
}

/** Watched while the simulation ran, and so only known to the process that ran it. */
function invariantsCheck(world: SimWorld | undefined): CheckResult {
  const name = INVARIANTS_CHECK;
  if (world === undefined) {
    return { name, validity: 'unknown', summary: 'no simulation to ask', details: {} };
  }
  const { failure } = world;
  const details = { commits: world.oracle.committed, events: world.loop.events };
  if (failure !== undefined) {
    return { name, validity: 'invalid', summary: failureWords(failure), details };
  }
  const summary = `held after each of ${details.events} events; ${details.commits} entries committed`;
  return { name, validity: 'valid', summary, details };
}

/** Members as `storm run` asks for them, everything else as on a good machine. */
function planOf(config: ClusterConfig, seed: number): WorldPlan {
  if (config.target.kind === 'etcd') {
    throw new ClusterError('--target etcd: only our own server can be simulated; leave it out');
  }
  if (config.target.root !== RUN_DEFAULTS.root) {
    throw new ClusterError(
      `--server ${config.target.root}: simulated members are this program's own code; run the` +
        ' storm of that copy instead',
    );
  }
  const { memberCount, heartbeatMs, electionMs } = config;
  return {
    seed,
    memberCount,
    spareCount: 0,
    heartbeatMs,
    electionMs,
    member: {
      snapshotCount: 10_000,
      catchupEntries: 5_000,
      segmentBytesMax: 64_000_000,
      maxMessageBytes: 1_048_576,
      maxInflightMessages: 512,
      maxCommittedBytesPerTurn: 1_048_576,
      maxUncommittedBytes: 268_435_456,
      compactEveryMs: 0,
      compactedRowsPerTick: 2_000,
      leaseCheckpointS: 5,
      watchRowsMax: 8_192,
      watchFragmentBytes: 2_097_152,
      watchProgressMs: 600_000,
      watchUntakenMax: 8,
      checkpointChunkBytes: 262_144,
      rangeKeysPerTurn: 1_000,
      pauseUs: 10,
      strictReconfig: true,
      quotaBytes: 0,
    },
    network: { latencyUs: [50, 200], clientLatencyUs: [50, 200], encodes: false },
    disk: {
      writeUs: [5, 30],
      syncUs: [500, 2_000],
      processKillPercent: 50,
      snapshotCrashPercent: 0,
    },
    clockDriftPpm: [],
  };
}

function keyClient(world: SimWorld, endpoint: string): KeyClient {
  const kv = world.clients.connect(endpoint);
  return {
    put: async (key, value, timeoutMs) =>
      (await kv.put(putRequest({ key, value }), { timeoutMs })).ok,
    readPrefix: async (prefix, timeoutMs) => {
      const request = rangeRequest({ key: prefix, rangeEnd: prefixEnd(prefix) });
      const reply = await kv.range(request, { timeoutMs });
      if (!reply.ok) return undefined;
      const { kvs } = reply.value.result;
      return new Map(kvs.map((pair) => [utf8Decode(pair.key), utf8Decode(pair.value)]));
    },
    close: () => kv.close(),
  };
}
