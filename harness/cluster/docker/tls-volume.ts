/** The TLS files of the docker backend: on the volumes of the holders, with which they go. */
import type Dockerode from 'dockerode';
import { ClusterTls, type TlsContents } from '../tls-files.ts';
import type { Holder } from './pod.ts';
import { runInHolder } from './run-in-holder.ts';
import { tlsFilesCommand } from './server-command.ts';

/** Makes the run's certificates and puts them where the servers, which come later, look for them. */
export async function secureHolders(
  docker: Dockerode,
  holders: readonly (Holder & { readonly name: string })[],
): Promise<ClusterTls> {
  // Peers are known by their addresses; what is led through a proxy comes from the loopback.
  const hosts = ['127.0.0.1', 'localhost', ...holders.flatMap(({ ip, host }) => [ip, host])];
  const members = holders.map(({ name, id, host, clientPort }) => {
    const holder = docker.getContainer(id);
    const replace = async (contents: TlsContents): Promise<void> => {
      await runInHolder({ name, holder }, tlsFilesCommand(JSON.stringify(contents)));
    };
    return [name, { clientUrl: `https://${host}:${clientPort}`, replace }] as const;
  });
  const tls = new ClusterTls([...new Set(hosts)], new Map(members));
  await Promise.all(members.map(([name, { replace }]) => replace(tls.contentsFor(name))));
  return tls;
}
