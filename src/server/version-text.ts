import { API_VERSION } from '../service/api-version.ts';
import { SERVER_VERSION } from './server-version.ts';

/** The lines of etcd's `--version`, which scripts read, and one of our own. No Go is in here. */
export function versionText(): string {
  const { platform, arch, version } = process;
  return [
    `etcd Version: ${API_VERSION}`,
    'Git SHA: none',
    `Go Version: none (Node.js ${version})`,
    `Go OS/Arch: none (${platform}/${arch})`,
    `Stormraft Version: ${SERVER_VERSION}`,
    '',
  ].join('\n');
}
