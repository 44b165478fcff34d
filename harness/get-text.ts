/** A page of a member, over HTTP or TLS. */
import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { text } from 'node:stream/consumers';
import type { ClientTls } from '../src/client/connection.ts';

/** Undefined: no answer with status 200 within `timeoutMs`, whatever kept it from coming. */
export async function getText(
  url: string,
  { tls, timeoutMs }: { readonly tls: ClientTls | undefined; readonly timeoutMs: number },
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  // Connections are not kept: whoever asks wants to know what is there now.
  const options = { agent: false, signal: AbortSignal.timeout(timeoutMs) } as const;
  const request = url.startsWith('https:')
    ? requestSecure(url, { ...options, ca: tls?.ca, cert: tls?.cert, key: tls?.key })
    : requestPlain(url, options);
  request.on('error', () => resolve(undefined));
  request.on('response', (response) => {
    if (response.statusCode !== 200) {
      response.resume();
      return resolve(undefined);
    }
    text(response).then(resolve, () => resolve(undefined));
  });
  request.end();
  return promise;
}
