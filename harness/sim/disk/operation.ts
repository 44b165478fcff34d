/** One call of the Disk port, on its way through time and faults to the device. */
export interface Operation<Value> {
  /** Reads and changes take the time of a write; only syncs make anything durable. */
  readonly kind: 'read' | 'change' | 'sync';
  readonly path: string;
  /** Needs room that the device may not have; asked when the operation completes. */
  readonly needsSpace?: () => boolean;
  /**
   * What it does to the device, all at once, when it completes; `keeps` is false for a sync
   * that the disk only pretends to do. Throws DiskError.
   */
  readonly effect: (keeps: boolean) => Value;
  /** In words, for the trace: `write data/n1/wal/x.wal at 512, 80 bytes`. */
  readonly describe: () => string;
}

/** Carries operations out; an open file's belong to the process that opened it. */
export interface Performer {
  /** Rejects with DiskError; never settles once the process is dead. */
  perform<Value>(operation: Operation<Value>): Promise<Value>;
}
