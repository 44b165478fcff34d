/** Which quality each directed link has: its distance, and on top what a fault makes of it. */
import {
  type DirectedLink,
  type DirectedQuality,
  GOOD_LINKS,
  inSeries,
  isGood,
  type LinkQuality,
} from './link-quality.ts';

export class LinkSettings {
  #distances: ReadonlyMap<string, LinkQuality> = new Map();
  #everywhere: LinkQuality = GOOD_LINKS;
  #except: ReadonlyMap<string, LinkQuality> = new Map();

  /** What links are like while no fault is in place; those not listed are good. */
  setDistances(links: readonly DirectedQuality[]): void {
    this.#distances = byLink(links);
  }

  /** Replaces what faults make of all links: `quality`, but for the listed ones. */
  setFault(quality: LinkQuality, except: readonly DirectedQuality[] = []): void {
    this.#everywhere = quality;
    this.#except = byLink(except);
  }

  of(from: string, to: string): LinkQuality {
    // Simulations ask for every message.
    if (this.#except.size === 0 && this.#distances.size === 0) return this.#everywhere;
    const key = linkKey({ from, to });
    const fault = this.#except.get(key) ?? this.#everywhere;
    return inSeries(this.#distances.get(key) ?? GOOD_LINKS, fault);
  }

  /** All links between these members that are not good. */
  among(members: readonly string[]): DirectedQuality[] {
    return linksAmong(members)
      .map((link) => ({ ...link, quality: this.of(link.from, link.to) }))
      .filter(({ quality }) => !isGood(quality));
  }
}

/** Every directed link between two of these. */
export function linksAmong(members: readonly string[]): DirectedLink[] {
  return members.flatMap((from) => members.filter((to) => to !== from).map((to) => ({ from, to })));
}

export function linkKey({ from, to }: DirectedLink): string {
  return `${from}>${to}`;
}

function byLink(links: readonly DirectedQuality[]): ReadonlyMap<string, LinkQuality> {
  return new Map(links.map((link) => [linkKey(link), link.quality]));
}
