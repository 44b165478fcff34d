import { formatId } from '../../lib/ids.ts';
import { jsonPage, type Page } from './page.ts';
import type { PagesSource } from './pages-source.ts';

/** `/v2/members`, all there is of API 2: what `etcdctl cluster-health` begins with. */
export function membersPage(source: PagesSource): Page {
  const members = source.members().map(({ id, name, peerUrls, clientUrls }) => ({
    id: formatId(id),
    name,
    peerURLs: peerUrls,
    clientURLs: clientUrls,
  }));
  const headers = { 'x-etcd-cluster-id': formatId(source.status().clusterId) };
  return { ...jsonPage(200, { members }), headers };
}
