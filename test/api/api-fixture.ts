import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Registry } from 'prom-client';
import { type ApiLimits, DEFAULT_API_LIMITS } from '../../src/api/limits.ts';
import { createMetrics, type Metrics } from '../../src/api/metrics.ts';
import { type ApiServer, startApi } from '../../src/api/start-api.ts';
import { RealClock } from '../../src/host/real-clock.ts';
import type { Log } from '../../src/ports/log.ts';
import { CLUSTER_ID, type FakeServices, fakeServices, MEMBER_ID } from './fake-services.ts';
import { fakePages } from './http-fake-pages.ts';

export const SILENT_LOG: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export interface ApiFixture extends AsyncDisposable {
  readonly api: ApiServer;
  readonly services: FakeServices;
  readonly metrics: Metrics;
  readonly port: number;
  readonly endpoint: string;
}

/** The whole front end on a free loopback port, over fake services. */
export async function openApi(limits: Partial<ApiLimits> = {}): Promise<ApiFixture> {
  const services = fakeServices();
  const metrics = createMetrics({
    registry: new Registry(),
    clock: new RealClock(),
    source: {
      status: () => ({
        clusterId: CLUSTER_ID,
        memberId: MEMBER_ID,
        leader: services.isLed ? MEMBER_ID : undefined,
        term: 7,
        raftIndex: 21,
        appliedIndex: 20,
        revision: 5,
        dbSizeBytes: 8192,
        dbSizeInUseBytes: 4096,
        isLearner: false,
      }),
      pendingProposals: () => 3,
    },
  });
  const api = await startApi({
    services,
    pages: fakePages(services),
    metrics,
    listen: [{ host: '127.0.0.1', port: 0 }],
    limits: { ...DEFAULT_API_LIMITS, ...limits },
    clock: new RealClock(),
    log: SILENT_LOG,
  });
  const { port } = api.addresses[0]!;
  return {
    api,
    services,
    metrics,
    port,
    endpoint: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => api.close(),
  };
}

/** Whether a test that needs the program is to run: where CI says so, its absence is a failure. */
export function needsProgram(path: string): boolean {
  return existsSync(path) || process.env.CI === 'true';
}

/** Runs a program to its end; never rejects. */
export function runProgram(
  path: string,
  args: readonly string[],
  options: { readonly env?: Record<string, string>; readonly input?: string } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...options.env };
    const child = execFile(path, [...args], { env, timeout: 20_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
      resolve({ code, stdout, stderr });
    });
    child.stdin?.end(options.input ?? '');
  });
}
