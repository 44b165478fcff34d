import { checkRoutes, type OnCheck } from './check-pages.ts';
import { debugVarsPage } from './debug-vars-page.ts';
import { healthPage } from './health-page.ts';
import { membersPage } from './members-page.ts';
import { jsonPage, type Page, type Route, textPage } from './page.ts';
import type { PagesSource } from './pages-source.ts';

/** HTTP for people, scrapers and load balancers: which page a path has. */

/** Text for scrapers, made when they ask. */
export interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}

/** For metrics of the checks themselves. */
export interface PagesObserver {
  onHealth(healthy: boolean): void;
  readonly onCheck: OnCheck;
}

export interface PagesOptions {
  readonly source: PagesSource;
  readonly metrics: MetricsText;
  readonly observer?: PagesObserver;
}

const NO_OBSERVER: PagesObserver = { onHealth: () => undefined, onCheck: () => undefined };

/** What --listen-metrics-urls serves. */
export function metricsRoutes(options: PagesOptions): Map<string, Route> {
  const { source, metrics, observer = NO_OBSERVER } = options;
  return new Map<string, Route>([
    ...checkRoutes(source, observer.onCheck),
    [
      '/health',
      async (query) => {
        const page = await healthPage(source, query);
        observer.onHealth(page.status === 200);
        return page;
      },
    ],
    [
      '/metrics',
      async () => ({
        status: 200,
        contentType: metrics.contentType,
        body: await metrics.text(),
      }),
    ],
  ]);
}

/** What client ports serve besides. */
export function pageRoutes(options: PagesOptions): Map<string, Route> {
  const { source } = options;
  return new Map<string, Route>([
    ...metricsRoutes(options),
    ['/version', () => versionPage(source)],
    ['/debug/vars', () => debugVarsPage(source)],
    ['/v2/members', () => membersPage(source)],
  ]);
}

function versionPage(source: PagesSource): Page {
  const { server, cluster = 'not_decided', storage } = source.versions();
  return jsonPage(200, { etcdserver: server, etcdcluster: cluster, storage });
}

/** The page of a request. */
export async function findPage(
  routes: ReadonlyMap<string, Route>,
  {
    method,
    path,
    query,
  }: { readonly method: string; readonly path: string; readonly query: string },
): Promise<Page> {
  const route = routes.get(path);
  if (route === undefined) return textPage(404, 'Not Found');
  if (method !== 'GET') {
    return { ...textPage(405, 'Method Not Allowed'), headers: { allow: 'GET' } };
  }
  return route(new URLSearchParams(query));
}
