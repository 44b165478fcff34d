/** The TLS files of the process backend: `tls/<node>` in the run directory, removed at the end. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterNode } from '../cluster.ts';
import { ClusterTls, type TlsContents } from '../tls-files.ts';

/** All members are dialled on, and dial from, the loopback. */
const HOSTS = ['127.0.0.1', 'localhost'];

export class TlsDirectory {
  readonly tls: ClusterTls;
  readonly #path: string;

  constructor(path: string, nodes: readonly ClusterNode[]) {
    this.#path = path;
    const members = nodes.map(({ name, clientUrl }) => {
      const replace = async (contents: TlsContents): Promise<void> => this.#write(name, contents);
      return [name, { clientUrl, replace }] as const;
    });
    this.tls = new ClusterTls(HOSTS, new Map(members));
    for (const { name } of nodes) {
      mkdirSync(this.of(name), { recursive: true, mode: 0o700 });
      this.#write(name, this.tls.contentsFor(name));
    }
  }

  /** The member's directory. */
  of(node: string): string {
    return join(this.#path, node);
  }

  /** With what it takes to talk to them. */
  secured(nodes: readonly ClusterNode[]): readonly ClusterNode[] {
    return nodes.map((node) => ({ ...node, tls: this.tls.client }));
  }

  remove(): void {
    rmSync(this.#path, { recursive: true, force: true });
  }

  /** A file is the old one or the new one at any time; the pair may be mixed for a moment. */
  #write(node: string, contents: TlsContents): void {
    for (const [name, content] of Object.entries(contents)) {
      const file = join(this.of(node), name);
      writeFileSync(`${file}.next`, content, { mode: 0o600 });
      renameSync(`${file}.next`, file);
    }
  }
}
