import { SettingsError } from './settings-error.ts';

/** URL lists and cluster strings, as etcd's flags take them. */

export interface ListenAddress {
  /** As given, without a trailing slash. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

const MEMBERS_MAX = 100;

/** Comma-separated `http://host:port`; throws {@link SettingsError} naming `field`. */
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
  const parsed = URL.parse(text);
  const quoted = JSON.stringify(text);
  if (parsed === null)
    throw new SettingsError(field, `${quoted} is not a URL; write http://HOST:PORT`);
  if (parsed.protocol === 'https:') {
    throw new SettingsError(
      field,
      `${quoted} asks for TLS, which this version does not have; use http://`,
    );
  }
  if (parsed.protocol !== 'http:')
    throw new SettingsError(field, `${quoted} must start with http://`);
  // URL drops the default port of its scheme, but a URL without any port is a mistake here.
  const port = parsed.port === '' && /:80\/?$/.test(text) ? 80 : Number(parsed.port);
  if (port === 0) throw new SettingsError(field, `${quoted} has no port; write http://HOST:PORT`);
  if (parsed.pathname !== '/' || parsed.search !== '') {
    throw new SettingsError(field, `${quoted} must not have a path`);
  }
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  return { url: text.replace(/\/$/, ''), host, port };
}
