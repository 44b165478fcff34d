import type { ClientAddress } from '../api/client-ports.ts';
import type { Settings } from './settings.ts';

/** Where clients may come, and with which protocol, once HTTP has URLs of its own. */
export function clientAddressesOf(
  settings: Pick<Settings, 'listenClient' | 'listenClientHttp'>,
): readonly ClientAddress[] {
  const { listenClient, listenClientHttp } = settings;
  if (listenClientHttp.length === 0) return listenClient;
  return [
    ...listenClient.map((address) => ({ ...address, serves: 'http2' as const })),
    ...listenClientHttp.map((address) => ({ ...address, serves: 'http1' as const })),
  ];
}
