/** What was thrown at the members, by kind. */

export interface Count {
  connections: number;
  requests: number;
  bytes: number;
  /** Connections that the member closed before the fuzzer did. */
  closedByMember: number;
  /** Would have been a lie that a client or a member may tell: not sent. */
  withheld: number;
}

export class Tally {
  readonly #counts = new Map<string, Count>();
  /** Answers by their status, as far as anybody looked. */
  readonly statuses: Map<string, number> = new Map();

  of(kind: string): Count {
    const known = this.#counts.get(kind);
    if (known !== undefined) return known;
    const count = { connections: 0, requests: 0, bytes: 0, closedByMember: 0, withheld: 0 };
    this.#counts.set(kind, count);
    return count;
  }

  answered(status: string): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
  }

  get total(): Count {
    const total = { connections: 0, requests: 0, bytes: 0, closedByMember: 0, withheld: 0 };
    for (const count of this.#counts.values()) {
      for (const name of Object.keys(total) as (keyof Count)[]) total[name] += count[name];
    }
    return total;
  }

  lines(): readonly string[] {
    const rows = [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
    const names = ['connections', 'requests', 'bytes', 'closedByMember', 'withheld'] as const;
    const line = (kind: string, values: readonly (string | number)[]): string =>
      kind.padEnd(34) + values.map((value) => String(value).padStart(15)).join('');
    return [
      line('kind', names),
      ...rows.map(([kind, count]) =>
        line(
          kind,
          names.map((name) => count[name]),
        ),
      ),
      line(
        'all',
        names.map((name) => this.total[name]),
      ),
    ];
  }
}
