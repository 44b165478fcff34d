import type { WatchRequest, WatchResult } from '../../mvcc/watch-request.ts';
import type { Answer } from '../../service/response.ts';
import {
  readWatchRequest,
  watchResponseSizeHintBytes,
  writeWatchResponse,
} from '../../wire/watch-messages.ts';
import type { RpcMethod } from '../rpc.ts';
import type { WatchService } from '../services.ts';
import { hotRequest, hotResponse } from './hot-codec.ts';
import { bidiStream } from './method.ts';

/** etcdserverpb.Watch. */
export function watchMethods(watch: WatchService): RpcMethod[] {
  return [
    bidiStream<WatchRequest, Answer<WatchResult>>({
      path: '/etcdserverpb.Watch/Watch',
      decode: hotRequest(readWatchRequest),
      open: (caller, sink) => watch.open(caller, sink),
      encode: hotResponse(watchResponseSizeHintBytes, writeWatchResponse),
    }),
  ];
}
