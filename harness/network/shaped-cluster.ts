/** Link faults of the backends whose links are byte streams: asked for here, applied by each. */
import type { Cluster, ClusterNode } from '../cluster/cluster.ts';
import { WithoutSimFaults } from '../cluster/not-possible.ts';
import { requireShapeable } from './link-capabilities.ts';
import type { DirectedQuality, LinkQuality } from './link-quality.ts';
import { LinkSettings } from './link-settings.ts';

type LinkMethod = 'nodes' | 'setLinkQuality' | 'setLinkDistances';

export abstract class ShapedCluster extends WithoutSimFaults implements Pick<Cluster, LinkMethod> {
  abstract readonly nodes: readonly ClusterNode[];
  readonly #settings = new LinkSettings();

  /** Makes every link what the settings say. */
  protected abstract applyLinkSettings(settings: LinkSettings): Promise<void>;

  async setLinkQuality(
    quality: LinkQuality,
    except: readonly DirectedQuality[] = [],
  ): Promise<void> {
    requireShapeable(this.nodeNames(), except, quality);
    this.#settings.setFault(quality, except);
    await this.applyLinkSettings(this.#settings);
  }

  async setLinkDistances(links: readonly DirectedQuality[]): Promise<void> {
    requireShapeable(this.nodeNames(), links);
    this.#settings.setDistances(links);
    await this.applyLinkSettings(this.#settings);
  }

  protected nodeNames(): string[] {
    return this.nodes.map(({ name }) => name);
  }
}
