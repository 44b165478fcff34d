/** `storm doctor`: which fault mechanisms work on this machine, found out by trying each. */

import { arch, release, type } from 'node:os';
import { sweepAll } from '../backends.ts';
import { ClusterError, type Target } from '../cluster/cluster.ts';
import { isDaemonNamed } from '../cluster/docker/daemon-address.ts';
import { StormError } from '../exit-code.ts';
import type { Progress } from '../progress.ts';
import type { Services } from '../services.ts';
import { within } from '../timing.ts';
import { DAEMON_PROBE } from './docker/machine.ts';
import type { DockerScratch } from './docker/scratch.ts';
import { type Bench, type Finding, type Probe, reasonOf } from './probe.ts';
import { PROCESS_PROBES } from './process/group.ts';
import { ProcessScratch, sweepScratchDirectories } from './process/scratch.ts';
import { runProbes } from './run-probes.ts';
import { type DoctorScope, REPORT_FORMAT, renderJson, renderTable } from './table.ts';

export interface DoctorRequest {
  readonly cluster: DoctorScope;
  readonly json: boolean;
  /** What the image of the scratch containers is built for. */
  readonly target: Target;
  /** Where stages are told while it goes on. */
  readonly progress: Progress;
  /** Of the terminal. */
  readonly columns: number;
}

/** Of one probe, its scratch things excluded. */
const PROBE_LIMIT_MS = 20_000;
/** To make the scratch pod, or to throw it away. */
const POD_LIMIT_MS = 60_000;

interface Examination {
  readonly bench: Bench;
  readonly request: DoctorRequest;
  readonly signal: AbortSignal;
}

/** 0: probed. Throws StormError when nothing could be probed, and when interrupted. */
export async function doctorCommand(services: Services, request: DoctorRequest): Promise<number> {
  const { clock, signal, processId } = services;
  const { cluster, progress } = request;
  await sweep(services, progress);
  const runId = `doctor-${processId}-${clock.wallMs().toString(36)}`;
  const examination = { bench: { clock, runId }, request, signal };
  const findings: Finding[] = [];
  let blocker: string | undefined;
  if (cluster !== 'process') {
    const docker = await examineDocker(examination);
    findings.push(...docker.findings);
    blocker = docker.blocker;
  }
  if (cluster !== 'docker' && !signal.aborted) {
    findings.push(...(await examineProcesses(examination)));
  }
  if (signal.aborted) throw new StormError('interrupted');
  const system = `${type()} ${release()} ${arch()}, Node ${process.version}`;
  if (request.json) {
    const report = { format: REPORT_FORMAT, cluster, system, mechanisms: findings } as const;
    services.progress.print(renderJson(report));
  } else {
    services.progress.print(system);
    for (const line of renderTable(findings, request.columns)) services.progress.print(line);
  }
  if (blocker === undefined) return 0;
  if (cluster === 'docker') {
    throw new StormError(`--cluster docker: nothing could be probed: ${blocker}`);
  }
  // Where none is named, a machine without Docker is one of the things to find out.
  if (isDaemonNamed()) throw new StormError(`docker: nothing could be probed: ${blocker}`);
  return 0;
}

/** A sweep that fails is no reason not to look: the probes will tell. */
async function sweep(services: Services, progress: Progress): Promise<void> {
  try {
    const swept = await sweepAll(services.backends);
    if (swept !== '') progress.print(`sweep: removed ${swept} of dead runs`);
    sweepScratchDirectories();
  } catch (error) {
    progress.print(`sweep: ${reasonOf(error)}`);
  }
}

/** `blocker`: why nothing but the daemon could be probed. */
async function examineDocker(
  examination: Examination,
): Promise<{ readonly findings: Finding[]; readonly blocker: string | undefined }> {
  const { bench, request, signal } = examination;
  const { progress } = request;
  progress.print('doctor: docker: looking for a daemon');
  const daemon = await runProbes([DAEMON_PROBE], {
    ...common(examination, 1),
    context: async () => bench,
    discard: async () => undefined,
  });
  const { DOCKER_PROBES } = await import('./docker/group.ts');
  let scratch: DockerScratch | undefined;
  let failure = daemon[0]?.works === true ? undefined : 'needs the daemon';
  try {
    if (failure === undefined && !signal.aborted) {
      progress.print('doctor: docker: image and scratch pod');
      const { DockerScratch } = await import('./docker/scratch.ts');
      const onProgress = (line: string): void => progress.print(`doctor: docker: ${line}`);
      scratch = await DockerScratch.open(bench, request.target, onProgress);
    }
  } catch (error) {
    failure = reasonOf(error);
  }
  const opened = scratch;
  try {
    if (failure === undefined) tellCount(progress, 'docker', DOCKER_PROBES);
    const findings = await runProbes(DOCKER_PROBES, {
      ...common(examination, DOCKER_PROBES.length),
      async context() {
        if (opened === undefined || failure !== undefined) throw new ClusterError(failure ?? '');
        failure = await podFailure(opened);
        if (failure !== undefined) throw new ClusterError(failure);
        return opened;
      },
      discard: async () => {
        if (opened !== undefined) await within(bench.clock, POD_LIMIT_MS, opened.discard());
      },
    });
    const blocker = daemon[0]?.works === true ? failure : daemon[0]?.detail;
    return { findings: [...daemon, ...findings], blocker };
  } finally {
    await opened?.discard();
  }
}

/**
 * Makes the pod outside of any probe's limit. What the daemon refuses concerns only the probes
 * that need the pod, which will hear it; a daemon that hangs concerns all.
 */
async function podFailure(scratch: DockerScratch): Promise<string | undefined> {
  const made = scratch.pod().then(
    () => true,
    () => true,
  );
  if ((await within(scratch.bench.clock, POD_LIMIT_MS, made)) === true) return undefined;
  return `a scratch pod took longer than ${POD_LIMIT_MS / 1000} s`;
}

async function examineProcesses(examination: Examination): Promise<Finding[]> {
  const { bench, request } = examination;
  tellCount(request.progress, 'process', PROCESS_PROBES);
  const scratch = new ProcessScratch(bench);
  try {
    return await runProbes(PROCESS_PROBES, {
      ...common(examination, PROCESS_PROBES.length),
      context: async () => scratch,
      discard: () => scratch.discard(),
    });
  } finally {
    await scratch.close();
  }
}

function common({ bench, request, signal }: Examination, count: number) {
  return {
    clock: bench.clock,
    limitMs: PROBE_LIMIT_MS,
    signal,
    onStart: ({ backend, mechanism }: Probe<never>, index: number): void =>
      request.progress.live(`${backend} ${index + 1}/${count}: ${mechanism}`),
  };
}

function tellCount(
  progress: Progress,
  backend: string,
  probes: readonly { readonly mechanism: string }[],
): void {
  progress.print(`doctor: ${backend}: ${probes.length} mechanisms`);
}
