/** Runs probes one after the other, each within a limit: they share scratch things and the machine. */

import type { Clock } from '../../src/ports/clock.ts';
import { within } from '../timing.ts';
import { type Finding, no, type Probe, type ProbeResult, reasonOf } from './probe.ts';

export interface ProbeRun<Context> {
  readonly clock: Clock;
  /** Of one probe. */
  readonly limitMs: number;
  /** Aborted: the probes that have not begun are left out. */
  readonly signal: AbortSignal;
  /** The scratch things, made anew after {@link discard}; a rejection is why nothing works. */
  context(): Promise<Context>;
  /** A probe hangs, and what it has done to the scratch things is unknown: throw them away. */
  discard(): Promise<void>;
  onStart(probe: Probe<Context>, index: number): void;
}

export async function runProbes<Context>(
  probes: readonly Probe<Context>[],
  run: ProbeRun<Context>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [index, probe] of probes.entries()) {
    if (run.signal.aborted) break;
    run.onStart(probe, index);
    findings.push(await runOne(probe, run));
  }
  return findings;
}

async function runOne<Context>(probe: Probe<Context>, run: ProbeRun<Context>): Promise<Finding> {
  const { mechanism, backend, usedBy, fallback } = probe;
  const finding = (result: ProbeResult, tookMs: number): Finding => ({
    mechanism,
    backend,
    works: result.works,
    detail: result.detail,
    usedBy,
    fallback,
    tookMs: Math.round(tookMs),
  });
  let context: Context;
  try {
    context = await run.context();
  } catch (error) {
    return finding(no(reasonOf(error)), 0);
  }
  const startNs = run.clock.nowNs();
  const late = new AbortController();
  const signal = AbortSignal.any([run.signal, late.signal]);
  const result = await within(run.clock, run.limitMs, attempt(probe, context, signal));
  const tookMs = (run.clock.nowNs() - startNs) / 1e6;
  if (result !== undefined) return finding(result, tookMs);
  late.abort();
  await run.discard();
  return finding(no(`took longer than ${run.limitMs / 1000} s`), tookMs);
}

async function attempt<Context>(
  probe: Probe<Context>,
  context: Context,
  signal: AbortSignal,
): Promise<ProbeResult> {
  try {
    return await probe.run(context, signal);
  } catch (error) {
    return no(reasonOf(error));
  }
}
