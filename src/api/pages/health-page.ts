import { jsonPage, type Page, textPage } from './page.ts';
import type { PagesSource } from './pages-source.ts';

/** `/health`: the first reason why clients should go elsewhere, in etcd's words. */
export async function healthPage(source: PagesSource, query: URLSearchParams): Promise<Page> {
  const serializable = query.get('serializable') === 'true';
  const excluded = new Set(query.getAll('exclude'));
  const reason = await findReason(source, { serializable, excluded });
  if (reason === undefined) return jsonPage(200, { health: 'true', reason: '' });
  return textPage(503, JSON.stringify({ health: 'false', reason }));
}

interface HealthRequest {
  readonly serializable: boolean;
  /** Names of alarms that do not count. */
  readonly excluded: ReadonlySet<string>;
}

async function findReason(
  source: PagesSource,
  { serializable, excluded }: HealthRequest,
): Promise<string | undefined> {
  const alarm = source.alarms().find(({ type }) => !excluded.has(type));
  if (alarm !== undefined) return `ALARM ${alarm.type}`;
  if (!serializable && source.status().leader === undefined) return 'RAFT NO LEADER';
  const read = await source.read({ serializable });
  return read.ok ? undefined : `RANGE ERROR:${read.error}`;
}
