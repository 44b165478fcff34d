import type { Revision } from '../lib/ids.ts';
import type { KeyValue } from './request.ts';

/**
 * What clients ask of the Watch service and what they are told, as plain values. The names and
 * the meaning of every field are those of etcd's `rpc.proto` and `kv.proto`.
 */

/** Of one watcher within one stream; chosen by the client, or counted from 0. */
export type WatchId = number & { readonly __flavour?: 'WatchId' };

/** The id of answers that belong to no watcher: refused creations, progress of a whole stream. */
export const NO_WATCH_ID: WatchId = -1;

/** Kinds of events that the server leaves out. */
export type WatchFilter = 'noPut' | 'noDelete';

export interface WatchCreateRequest {
  /** Empty: as one zero byte, the smallest key. */
  readonly key: Uint8Array;
  /** As in a range: empty for one key, one zero byte for every key ≥ `key`. */
  readonly rangeEnd: Uint8Array;
  /** First revision of interest, past or future; 0: from now on. */
  readonly startRevision: Revision;
  readonly progressNotify: boolean;
  readonly filters: readonly WatchFilter[];
  readonly prevKv: boolean;
  /** 0: the server chooses. */
  readonly watchId: WatchId;
  /** Large responses may come in pieces. */
  readonly fragment: boolean;
}

export type WatchRequest =
  | { readonly type: 'create'; readonly request: WatchCreateRequest }
  | { readonly type: 'cancel'; readonly watchId: WatchId }
  | { readonly type: 'progress' }
  /** Of a kind this server does not know: ignored, as etcd does. */
  | { readonly type: 'unknown' };

/** One change of one key. The same object goes to every watcher that is told of it. */
export interface WatchEvent {
  readonly type: 'put' | 'delete';
  /** Of a delete only key and modification revision are set. */
  readonly kv: KeyValue;
  readonly prevKv: KeyValue | undefined;
}

/** etcd's WatchResponse without its header. */
export interface WatchResult {
  readonly watchId: WatchId;
  readonly created: boolean;
  readonly canceled: boolean;
  /** Not 0: canceled, because what is older than this is gone. */
  readonly compactRevision: Revision;
  readonly cancelReason: string;
  /** More pieces of the same response follow. */
  readonly fragment: boolean;
  readonly events: readonly WatchEvent[];
}
