import { type Page, type Route, textPage } from './page.ts';
import type { PagesSource } from './pages-source.ts';

/**
 * `/livez` and `/readyz`, with a page for each of their checks: whether to restart the member, and
 * whether to send it requests.
 */

export type CheckType = 'livez' | 'readyz';

/** Told of each check that was made. */
export type OnCheck = (type: CheckType, name: string, passed: boolean) => void;

/** Resolves with what is wrong. */
type Check = (source: PagesSource) => Promise<string | undefined>;

const readCheck =
  (serializable: boolean): Check =>
  async (source) => {
    const read = await source.read({ serializable });
    return read.ok ? undefined : read.error;
  };

const CHECKS: Readonly<Record<CheckType, Readonly<Record<string, Check>>>> = {
  livez: { serializable_read: readCheck(true) },
  readyz: {
    data_corruption: async (source) =>
      source.alarms().some(({ type }) => type === 'CORRUPT')
        ? 'alarm activated: CORRUPT'
        : undefined,
    serializable_read: readCheck(true),
    linearizable_read: readCheck(false),
    non_learner: async (source) =>
      source.status().isLearner ? 'not supported for learner' : undefined,
  },
};

export function checkRoutes(source: PagesSource, onCheck: OnCheck): Map<string, Route> {
  const routes = new Map<string, Route>();
  for (const type of ['livez', 'readyz'] as const) {
    const names = Object.keys(CHECKS[type]);
    const run = (chosen: readonly string[], query: URLSearchParams): Promise<Page> =>
      runChecks(source, { type, names: chosen, verbose: query.has('verbose') }, onCheck);
    routes.set(`/${type}`, (query) => {
      const excluded = query.getAll('exclude');
      return run(
        names.filter((name) => !excluded.includes(name)),
        query,
      );
    });
    for (const name of names) routes.set(`/${type}/${name}`, (query) => run([name], query));
  }
  return routes;
}

interface ChecksRequest {
  readonly type: CheckType;
  readonly names: readonly string[];
  /** Lists checks that passed, too; what failed is always told. */
  readonly verbose: boolean;
}

async function runChecks(
  source: PagesSource,
  { type, names, verbose }: ChecksRequest,
  onCheck: OnCheck,
): Promise<Page> {
  let failed = false;
  let lines = '';
  for (const name of names) {
    const fault = await CHECKS[type][name]!(source);
    onCheck(type, name, fault === undefined);
    if (fault !== undefined) failed = true;
    lines += fault === undefined ? `[+]${name} ok\n` : `[-]${name} failed: ${fault}\n`;
  }
  if (failed) return textPage(503, lines);
  return textPage(200, verbose ? `${lines}ok` : 'ok');
}
