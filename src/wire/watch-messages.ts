import { EMPTY_BYTES } from '../lib/bytes.ts';
import type { KeyValue } from '../mvcc/request.ts';
import type {
  WatchCreateRequest,
  WatchEvent,
  WatchFilter,
  WatchRequest,
  WatchResult,
} from '../mvcc/watch-request.ts';
import {
  EMPTY_HEADER,
  HEADER_BYTES_MAX,
  type HeaderMessage,
  keyValueSizeHintBytes,
  readHeader,
  readKeyValue,
  writeHeader,
  writeKeyValue,
} from './kv-messages.ts';
import type { ProtoReader } from './proto-reader.ts';
import { ProtoWriter } from './proto-writer.ts';
import type { AnswerMessage } from './range-messages.ts';

/** etcdserverpb.WatchRequest and WatchResponse, mvccpb.Event. */

/** Positions are the enum's numbers. */
const FILTERS: readonly WatchFilter[] = ['noPut', 'noDelete'];
const EVENT_TYPE_DELETE = 1;
const EVENTS_FIELD = 11;
/** Tags and numbers of a response, its header apart, without reason and events. */
const OTHER_FIELDS_BYTES_MAX = 32;
/** Around an event's two key-values, and what their own hints leave out in extreme cases. */
const EVENT_OVERHEAD_BYTES_MAX = 48;

export function writeWatchRequest(writer: ProtoWriter, request: WatchRequest): void {
  if (request.type === 'create') writer.message(1, request.request, writeCreateRequest);
  else if (request.type === 'cancel') writer.message(2, request.watchId, writeWatchId);
  else if (request.type === 'progress') writer.message(3, undefined, writeNothing);
}

function writeCreateRequest(writer: ProtoWriter, request: WatchCreateRequest): void {
  writer.bytes(1, request.key);
  writer.bytes(2, request.rangeEnd);
  writer.int64(3, request.startRevision);
  writer.bool(4, request.progressNotify);
  const filters = request.filters.map((filter) => FILTERS.indexOf(filter));
  writer.bytes(5, Uint8Array.from(filters));
  writer.bool(6, request.prevKv);
  writer.int64(7, request.watchId);
  writer.bool(8, request.fragment);
}

function writeWatchId(writer: ProtoWriter, watchId: number): void {
  writer.int64(1, watchId);
}

function writeNothing(): void {}

/** One of the three; of several the last counts. */
export function readWatchRequest(reader: ProtoReader): WatchRequest {
  let request: WatchRequest = { type: 'unknown' };
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) request = { type: 'create', request: reader.message(readCreateRequest) };
    else if (field === 2) request = { type: 'cancel', watchId: reader.message(readWatchId) };
    else if (field === 3) {
      reader.message(skipAll);
      request = { type: 'progress' };
    } else reader.skip();
  }
  return request;
}

/** Filters that do not exist filter nothing. Keys are copied: a watcher outlives its request. */
function readCreateRequest(reader: ProtoReader): WatchCreateRequest {
  let key = EMPTY_BYTES;
  let rangeEnd = EMPTY_BYTES;
  let startRevision = 0;
  let progressNotify = false;
  const filters = new Set<WatchFilter>();
  let prevKv = false;
  let watchId = 0;
  let fragment = false;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) key = new Uint8Array(reader.bytes());
    else if (field === 2) rangeEnd = new Uint8Array(reader.bytes());
    else if (field === 3) startRevision = reader.int64();
    else if (field === 4) progressNotify = reader.bool();
    else if (field === 5) {
      reader.enumNumbers((number) => {
        const filter = FILTERS[number];
        if (filter !== undefined) filters.add(filter);
      });
    } else if (field === 6) prevKv = reader.bool();
    else if (field === 7) watchId = reader.int64();
    else if (field === 8) fragment = reader.bool();
    else reader.skip();
  }
  return {
    key,
    rangeEnd,
    startRevision,
    progressNotify,
    filters: [...filters],
    prevKv,
    watchId,
    fragment,
  };
}

function readWatchId(reader: ProtoReader): number {
  let watchId = 0;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) watchId = reader.int64();
    else reader.skip();
  }
  return watchId;
}

function skipAll(reader: ProtoReader): void {
  while (reader.nextField() !== 0) reader.skip();
}

export function watchResponseSizeHintBytes(result: WatchResult): number {
  const { events, cancelReason } = result;
  let sizeBytes = HEADER_BYTES_MAX + OTHER_FIELDS_BYTES_MAX + cancelReason.length * 3;
  for (const event of events) sizeBytes += eventSizeHintBytes(event);
  return sizeBytes;
}

export function writeWatchResponse(writer: ProtoWriter, answer: AnswerMessage<WatchResult>): void {
  const { result } = answer;
  headers.write(writer, answer.header);
  writer.int64(2, result.watchId);
  writer.bool(3, result.created);
  writer.bool(4, result.canceled);
  writer.int64(5, result.compactRevision);
  writer.string(6, result.cancelReason);
  writer.bool(7, result.fragment);
  if (result.events.length > 0) eventLists.write(writer, result.events);
}

/**
 * The bytes of the value that was written last, once it is written again: watchers that see the
 * same changes are given the same array and the same header, one right after the other.
 */
class RepeatedFields<Value extends object> {
  readonly #write: (writer: ProtoWriter, value: Value) => void;
  #last: Value | undefined;
  #encoded: Uint8Array | undefined;

  constructor(write: (writer: ProtoWriter, value: Value) => void) {
    this.#write = write;
  }

  write(writer: ProtoWriter, value: Value): void {
    if (value !== this.#last) {
      this.#last = value;
      this.#encoded = undefined;
      this.#write(writer, value);
      return;
    }
    if (this.#encoded === undefined) {
      const own = new ProtoWriter();
      this.#write(own, value);
      this.#encoded = own.finish();
    }
    writer.fields(this.#encoded);
  }
}

const headers = new RepeatedFields<HeaderMessage>((writer, header) => {
  writer.message(1, header, writeHeader);
});
const eventLists = new RepeatedFields<readonly WatchEvent[]>((writer, events) => {
  for (const event of events) writer.message(EVENTS_FIELD, event, writeEvent);
});

/** At least what the event takes in a response, tag and length included, and not much more. */
export function eventSizeHintBytes({ kv, prevKv }: WatchEvent): number {
  const prevBytes = prevKv === undefined ? 0 : keyValueSizeHintBytes(prevKv);
  return EVENT_OVERHEAD_BYTES_MAX + keyValueSizeHintBytes(kv) + prevBytes;
}

/** Exactly what the event takes in a response, tag and length included. */
export function eventSizeBytes(event: WatchEvent): number {
  const writer = new ProtoWriter(eventSizeHintBytes(event));
  writer.message(EVENTS_FIELD, event, writeEvent);
  return writer.finish().length;
}

/** Exactly what the response takes without events. */
export function emptyResponseSizeBytes(answer: AnswerMessage<WatchResult>): number {
  const writer = new ProtoWriter(HEADER_BYTES_MAX + OTHER_FIELDS_BYTES_MAX);
  writeWatchResponse(writer, { ...answer, result: { ...answer.result, events: [] } });
  return writer.finish().length;
}

export function readWatchResponse(reader: ProtoReader): AnswerMessage<WatchResult> {
  let header = EMPTY_HEADER;
  let watchId = 0;
  let created = false;
  let canceled = false;
  let compactRevision = 0;
  let cancelReason = '';
  let fragment = false;
  const events: WatchEvent[] = [];
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) header = reader.message(readHeader);
    else if (field === 2) watchId = reader.int64();
    else if (field === 3) created = reader.bool();
    else if (field === 4) canceled = reader.bool();
    else if (field === 5) compactRevision = reader.int64();
    else if (field === 6) cancelReason = reader.string();
    else if (field === 7) fragment = reader.bool();
    else if (field === EVENTS_FIELD) events.push(reader.message(readEvent));
    else reader.skip();
  }
  const result = { watchId, created, canceled, compactRevision, cancelReason, fragment, events };
  return { header, result };
}

function writeEvent(writer: ProtoWriter, event: WatchEvent): void {
  writer.int64(1, event.type === 'delete' ? EVENT_TYPE_DELETE : 0);
  writer.message(2, event.kv, writeKeyValue);
  if (event.prevKv !== undefined) writer.message(3, event.prevKv, writeKeyValue);
}

const ABSENT_KEY_VALUE: KeyValue = {
  key: EMPTY_BYTES,
  createRevision: 0,
  modRevision: 0,
  version: 0,
  value: EMPTY_BYTES,
  lease: 0n,
};

function readEvent(reader: ProtoReader): WatchEvent {
  let typeNumber = 0;
  let kv = ABSENT_KEY_VALUE;
  let prevKv: KeyValue | undefined;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) typeNumber = reader.enumNumber();
    else if (field === 2) kv = reader.message(readKeyValue);
    else if (field === 3) prevKv = reader.message(readKeyValue);
    else reader.skip();
  }
  return { type: typeNumber === EVENT_TYPE_DELETE ? 'delete' : 'put', kv, prevKv };
}
