/** The verdict as JUnit XML: a test case per check, one for the run, one per kind of fault. */
import builderModule, { type Builder, type TestCase } from 'junit-report-builder';
import type { CheckResult } from '../checkers/checker.ts';
import { assertNever } from '../src/lib/assert.ts';
import type { Plan } from './plan.ts';
import type { Outcome } from './store.ts';
import { tallyFaults, type Verdict } from './verdict.ts';

/** Its types describe an ES module whose default export this is; at run time it is the export. */
const builder = builderModule as unknown as Builder;

const CLASS = 'stormraft.storm';

/** Invalid checks are failures, unknown ones errors; faults not possible here are skipped. */
export function junitXml(plan: Plan, outcome: Outcome, verdict: Verdict): string {
  return junitXmlOf([{ plan, outcome, verdict }]);
}

export interface JudgedRun {
  /** Told in front of the suite's name, where there are several. */
  readonly target?: string;
  readonly plan: Plan;
  readonly outcome: Outcome;
  readonly verdict: Verdict;
}

/** A suite for each run. */
export function junitXmlOf(runs: readonly JudgedRun[]): string {
  const report = builder.newBuilder();
  for (const run of runs) addSuite(report, run);
  return report.build();
}

function addSuite(report: Builder, { target, plan, outcome, verdict }: JudgedRun): void {
  const name = `storm seed ${plan.seed} on ${plan.backend}`;
  const suite = report
    .testSuite()
    .name(target === undefined ? name : `${target}: ${name}`)
    .timestamp(outcome.startedAt)
    .time(outcome.endNs / 1e9);
  for (const check of verdict.checks) {
    const testCase = suite.testCase().className(CLASS).name(check.name);
    reportCheck(testCase, check);
  }
  const run = suite.testCase().className(CLASS).name('the run proves something');
  if (verdict.reasons.length > 0) run.error(verdict.reasons.join('; '), 'unknown');
  for (const { kind, observed, injected } of tallyFaults(outcome.faults)) {
    const testCase = suite.testCase().className(CLASS).name(`fault ${kind}`);
    testCase.standardOutput(`${observed} of ${injected} took effect`);
    if (injected === 0 || observed === 0) testCase.skipped();
  }
}

function reportCheck(testCase: TestCase, check: CheckResult): void {
  testCase.standardOutput(check.summary);
  switch (check.validity) {
    case 'valid':
      return;
    case 'invalid':
      testCase.failure(check.evidence?.sentence ?? check.summary, 'invalid');
      return;
    case 'unknown':
      testCase.error(check.summary, 'unknown');
      return;
    default:
      return assertNever(check.validity);
  }
}
