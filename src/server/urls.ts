import { SettingsError } from './settings-error.ts';

/** URL lists and cluster strings, as etcd's flags take them. */

export interface ListenAddress {
  /** As given, without a trailing slash. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** `https://`: the port speaks TLS. */
  readonly secure: boolean;
  /** `unix://PATH`: a socket in the file system; host and port mean nothing then. */
  readonly path?: string;
}

const MEMBERS_MAX = 100;

/** Comma-separated `http://host:port`, `https://host:port` or `unix://path`; throws {@link SettingsError} naming `field`. */
export function parseUrls(field: string, text: string): readonly ListenAddress[] {
  return text.split(',').map((part) => parseUrl(field, part.trim()));
}

/** `name=url,name=url,…`; a name with several URLs appears several times. */
export function parseInitialCluster(text: string): ReadonlyMap<string, readonly string[]> {
  const field = 'initial-cluster';
  const members = new Map<string, string[]>();
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    if (at <= 0) {
      throw new SettingsError(field, `${JSON.stringify(part)} is not NAME=URL`);
    }
    const name = part.slice(0, at).trim();
    const { url } = parseUrl(field, part.slice(at + 1).trim());
    members.set(name, [...(members.get(name) ?? []), url]);
  }
  const urls = [...members.values()].flat();
  const twice = urls.find((url, position) => urls.indexOf(url) !== position);
  if (twice !== undefined)
    throw new SettingsError(field, `${twice} is given twice; give each member its own URL`);
  if (members.size > MEMBERS_MAX)
    throw new SettingsError(field, `has more than ${MEMBERS_MAX} members`);
  return members;
}

function parseUrl(field: string, text: string): ListenAddress {
  const path = /^unix:\/\/([^?#]+)$/.exec(text)?.[1];
  if (path !== undefined) return { url: text, host: '', port: 0, secure: false, path };
  const parsed = URL.parse(text);
  const quoted = JSON.stringify(text);
  if (parsed === null)
    throw new SettingsError(field, `${quoted} is not a URL; write http://HOST:PORT`);
  const secure = parsed.protocol === 'https:';
  if (!secure && parsed.protocol !== 'http:') {
    throw new SettingsError(field, `${quoted} must start with http:// or https://`);
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new SettingsError(field, `${quoted} must not have a user or a password`);
  }
  // URL drops the default port of its scheme, but a URL without any port is a mistake here.
  const usual = secure ? 443 : 80;
  const isUsual = parsed.port === '' && new RegExp(`:${usual}/?$`).test(text);
  const port = isUsual ? usual : Number(parsed.port);
  // Port 0 leaves the choice to the system, as in etcd; to say nothing is a mistake.
  if (port === 0 && parsed.port === '') {
    throw new SettingsError(field, `${quoted} has no port; write ${parsed.protocol}//HOST:PORT`);
  }
  if (parsed.pathname !== '/' || parsed.search !== '') {
    throw new SettingsError(field, `${quoted} must not have a path`);
  }
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  return { url: text.replace(/\/$/, ''), host, port, secure };
}

/** Where to dial a member: its first URL that can be dialled, undefined if there is none. */
export function dialAddressOf(peerUrls: readonly string[]): ListenAddress | undefined {
  for (const url of peerUrls) {
    try {
      return parseUrl('peer-urls', url);
    } catch (error) {
      // A member may have been added with any URL; only those of this version can be dialled.
      if (!(error instanceof SettingsError)) throw error;
    }
  }
  return undefined;
}
