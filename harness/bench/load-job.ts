/** What the process that makes the load is asked for and answers; both are JSON. */
import type { LoadResult, LoadSpec } from './load.ts';

export type LoadJob =
  | {
      readonly type: 'keys';
      readonly endpoint: string;
      readonly keyCount: number;
      readonly valueBytes: number;
    }
  | { readonly type: 'load'; readonly spec: LoadSpec; readonly seed: number };

export type LoadAnswer =
  | { readonly type: 'measuring' }
  | { readonly type: 'measured' }
  | { readonly type: 'loaded' }
  | { readonly type: 'done'; readonly result: LoadResult }
  | { readonly type: 'failed'; readonly reason: string };
