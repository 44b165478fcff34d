/** Plain writes and reads through one member, for the measurements that are no workload. */
export interface KeyClient {
  /** Whether the write was acknowledged within `timeoutMs`. Never rejects. */
  put(key: string, value: string, timeoutMs: number): Promise<boolean>;
  /** All keys with the prefix, read linearizably; `undefined`: no answer in time. */
  readPrefix(prefix: string, timeoutMs: number): Promise<ReadonlyMap<string, string> | undefined>;
  close(): void;
}
