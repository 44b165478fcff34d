/**
 * Watchers of what the other workloads write. A client has one stream with any number of
 * watchers; it reads what it was told from time to time, or lets it wait.
 *
 *   watch-open      {key, rangeEnd, back | ahead | resume | compacted, prevKv, filters, progress,
 *                   fragment, asks} → {watcher, at}; `back`: so many revisions before the newest
 *                   seen; `compacted`: at the newest compaction that the client knows of; `asks`:
 *                   for progress, at once
 *   watch-compact   the same; first compacts at the newest deletion seen, then watches from there
 *   watch-cancel    {}  the oldest watcher
 *   watch-progress  {}  → {upTo}
 *   watch-pause, watch-resume {}  takes nothing, takes all that waits
 *   watch-read      {}  → {events: [{watcher, span, at, key, type}], …} since the last
 */
import { fieldsOf, isJsonArray } from '../../checkers/history/guards.ts';
import type { Json } from '../../checkers/history/op.ts';
import { watchChecker } from '../../checkers/watch.ts';
import { bytesOf } from '../../src/client/requests.ts';
import { assert } from '../../src/lib/assert.ts';
import type { Revision } from '../../src/lib/ids.ts';
import { utf8Decode } from '../../src/lib/utf8.ts';
import {
  NO_WATCH_ID,
  type WatchCreateRequest,
  type WatchId,
  type WatchResult,
} from '../../src/mvcc/watch-request.ts';
import type { UpkeepClient, WatchCall, WatchClient } from '../full-client.ts';
import type { Generator, GeneratorContext, Invocation } from '../generator/generator.ts';
import { mix } from '../generator/mix.ts';
import { type Pace, stagger } from '../generator/pace.ts';
import { EMPTY, repeat } from '../generator/sequence.ts';
import { failedRead } from '../kv-client.ts';
import type { Completion, Workload, WorkloadClient } from '../workload.ts';

export const WATCH_FS: readonly string[] = [
  'watch-open',
  'watch-compact',
  'watch-cancel',
  'watch-progress',
  'watch-pause',
  'watch-resume',
  'watch-read',
];

/** Watchers of one client; one more is refused by the client itself. */
const WATCHERS_MAX = 16;
/** Events that one read shows; the others were seen, and are not written down. */
const SHOWN_MAX = 40;
const SPANS: readonly (readonly [key: string, rangeEnd: string])[] = [
  ['kv/a/0', ''],
  ['kv/a/', 'kv/a0'],
  ['kv/', 'kv0'],
  ['kv/b/0', 'kv/c/1'],
  ['lease/', 'lease0'],
  ['register/', 'register0'],
  ['\0', '\0'],
  // Nobody writes here: whoever watches is told of nothing.
  ['idle/', 'idle0'],
];

type Connected = WatchClient & Pick<UpkeepClient, 'compact'>;

export interface WatchOptions {
  /** Whether it compacts, or leaves that to others. */
  readonly compacts: boolean;
  /** Per cent of the openings that ask for progress in the same breath; none if left out. */
  readonly asksPercent?: number;
}

export function watchWorkload(
  connect: (endpoint: string) => Connected,
  pace: Pace,
  open: (timeoutMs: number) => Promise<void>,
  options: WatchOptions = { compacts: false },
): Workload {
  return {
    name: 'watch',
    fs: WATCH_FS,
    openClient: (endpoint) => new Client(connect(endpoint), open),
    generator: stagger(pace, watchGenerator(options)),
    finalGenerator: EMPTY,
    checkers: [watchChecker()],
  };
}

function watchGenerator({ compacts, asksPercent = 0 }: WatchOptions): Generator {
  const plain = (f: string): Generator => repeat(() => ({ f, value: {} }));
  const compactions = repeat((context) => ({ f: 'watch-compact', value: drawWatch(context, {}) }));
  return mix([
    ...(compacts ? [{ weight: 4, generator: compactions }] : []),
    {
      weight: 30,
      generator: repeat((context) => {
        const value = drawWatch(context, drawStart(context));
        const asks = asksPercent > 0 && context.random.below(100) < asksPercent;
        return { f: 'watch-open', value: asks ? { ...value, asks } : value };
      }),
    },
    { weight: 6, generator: plain('watch-cancel') },
    { weight: 8, generator: plain('watch-progress') },
    { weight: 6, generator: plain('watch-pause') },
    { weight: 12, generator: plain('watch-resume') },
    { weight: 30, generator: plain('watch-read') },
  ]);
}

type JsonFields = { readonly [field: string]: Json };

function drawStart({ random }: GeneratorContext): JsonFields {
  const starts: readonly JsonFields[] = [
    {},
    {},
    { back: random.below(30) },
    { back: random.below(300) },
    { ahead: 1 + random.below(20) },
    { resume: true },
    { resume: true },
    { compacted: true },
  ];
  return starts[random.below(starts.length)]!;
}

function drawWatch({ random }: GeneratorContext, start: JsonFields): JsonFields {
  const [key, rangeEnd] = SPANS[random.below(SPANS.length)]!;
  const flag = (name: string, percent: number): JsonFields =>
    random.below(100) < percent ? { [name]: true } : {};
  const filters = [['noPut'], ['noDelete'], ['noPut', 'noDelete']][random.below(12)];
  return {
    key,
    ...(rangeEnd === '' ? {} : { rangeEnd }),
    ...start,
    ...flag('prevKv', 40),
    ...flag('progress', 50),
    ...flag('fragment', 30),
    ...(filters === undefined ? {} : { filters }),
  };
}

interface Seen {
  readonly watcher: string;
  readonly span: string;
  readonly at: Revision;
  readonly key: string;
  readonly type: 'put' | 'delete';
}

class Client implements WorkloadClient {
  readonly #client: Connected;
  readonly #wait: (timeoutMs: number) => Promise<void>;
  #call: WatchCall | undefined;
  /** Spans of the watchers that were created, oldest first, by a name of their own. */
  #watchers = new Map<WatchId, { readonly name: string; readonly span: string }>();
  #creating: { readonly span: string; tell: (completion: Completion) => void }[] = [];
  #onProgress: ((upTo: Revision) => void) | undefined;
  readonly #known: Known = { newest: 0, deleted: 0, compacted: 0 };
  #streams = 0;
  #created = 0;
  #seen: Seen[] = [];
  #lost = 0;

  constructor(client: Connected, wait: (timeoutMs: number) => Promise<void>) {
    this.#client = client;
    this.#wait = wait;
  }

  async invoke({ f, value }: Invocation, timeoutMs: number): Promise<Completion> {
    switch (f) {
      case 'watch-open':
        return this.#open(value, timeoutMs);
      case 'watch-compact':
        return this.#compact(value, timeoutMs);
      case 'watch-cancel':
        return this.#cancel();
      case 'watch-progress':
        return this.#progress(timeoutMs);
      case 'watch-pause':
        this.#call?.pause();
        return { type: 'ok', value: {} };
      case 'watch-resume':
        this.#call?.resume();
        return { type: 'ok', value: {} };
      default:
        assert(f === 'watch-read', `bad ${f}`);
        return this.#read();
    }
  }

  close(): void {
    this.#call?.close();
    this.#call = undefined;
  }

  async #compact(asked: Json, timeoutMs: number): Promise<Completion> {
    const { deleted: revision } = this.#known;
    if (revision <= this.#known.compacted) return { type: 'fail', error: 'nothing was deleted' };
    const reply = await this.#client.compact({ revision, physical: false }, { timeoutMs });
    if (!reply.ok) return failedRead(reply.error);
    this.#known.compacted = revision;
    return this.#open({ ...fieldsOf(asked), compacted: true }, timeoutMs);
  }

  async #open(asked: Json, timeoutMs: number): Promise<Completion> {
    if (this.#watchers.size >= WATCHERS_MAX) return { type: 'fail', error: 'enough watchers' };
    const request = requestOf(asked, this.#known);
    const call = this.#stream();
    const span = `${utf8Decode(request.key)}–${utf8Decode(request.rangeEnd)} ${request.filters}`;
    const created = new Promise<Completion>((tell) => this.#creating.push({ span, tell }));
    call.create(request);
    if (fieldsOf(asked)?.asks === true) call.requestProgress();
    const late = this.#wait(timeoutMs).then((): Completion => {
      return { type: 'fail', error: 'no answer in time' };
    });
    return Promise.race([created, late]);
  }

  #stream(): WatchCall {
    if (this.#call !== undefined) return this.#call;
    this.#streams += 1;
    const call = this.#client.watch({
      onResponse: (revision, result) => this.#onResponse(revision, result),
      onEnd: () => {
        if (this.#call === call) this.#ended();
      },
    });
    this.#call = call;
    return call;
  }

  #cancel(): Completion {
    const [oldest] = this.#watchers.keys();
    if (oldest === undefined) return { type: 'fail', error: 'nothing is watched' };
    this.#call?.cancel(oldest);
    return { type: 'ok', value: { watcher: this.#watchers.get(oldest)!.name } };
  }

  async #progress(timeoutMs: number): Promise<Completion> {
    if (this.#call === undefined) return { type: 'fail', error: 'nothing is watched' };
    const call = this.#call;
    const told = new Promise<Completion>((resolve) => {
      this.#onProgress = (upTo) => resolve({ type: 'ok', value: { upTo } });
    });
    call.requestProgress();
    // Nobody is told of progress while a watcher is behind.
    const late = this.#wait(timeoutMs / 2).then((): Completion => {
      return { type: 'fail', error: 'not told of progress' };
    });
    return Promise.race([told, late]);
  }

  #read(): Completion {
    const events = this.#seen.slice(0, SHOWN_MAX).map((seen): Json => ({ ...seen }));
    const left = Math.max(0, this.#seen.length - SHOWN_MAX);
    this.#seen = [];
    return { type: 'ok', value: { events, left, lost: this.#lost } };
  }

  #onResponse(revision: Revision, result: WatchResult): void {
    const { watchId, created, canceled, compactRevision, events } = result;
    const known = this.#known;
    known.newest = Math.max(known.newest, revision);
    known.compacted = Math.max(known.compacted, compactRevision);
    if (created) return this.#onCreated(revision, result);
    if (canceled) {
      this.#watchers.delete(watchId);
      return;
    }
    if (watchId === NO_WATCH_ID) this.#onProgress?.(revision);
    const watcher = this.#watchers.get(watchId);
    if (watcher === undefined) return;
    for (const { type, kv } of events) {
      const { name, span } = watcher;
      const key = utf8Decode(kv.key);
      this.#seen.push({ watcher: name, span, at: kv.modRevision, key, type });
      if (type === 'delete') known.deleted = Math.max(known.deleted, kv.modRevision);
    }
  }

  #onCreated(revision: Revision, { watchId, canceled, cancelReason }: WatchResult): void {
    const creating = this.#creating.shift();
    if (creating === undefined) return;
    if (canceled) return creating.tell({ type: 'fail', error: cancelReason });
    this.#created += 1;
    const name = `${this.#streams}.${watchId}.${this.#created}`;
    this.#watchers.set(watchId, { name, span: creating.span });
    creating.tell({ type: 'ok', value: { watcher: name, at: revision } });
  }

  #ended(): void {
    this.#call = undefined;
    this.#watchers = new Map();
    this.#lost += 1;
    const creating = this.#creating;
    this.#creating = [];
    for (const { tell } of creating) tell({ type: 'fail', error: 'the stream was lost' });
  }
}

/** Revisions that a client has seen; 0: none. */
interface Known {
  /** What it has missed begins after that. */
  newest: Revision;
  /** Of a deletion. */
  deleted: Revision;
  compacted: Revision;
}

function requestOf(asked: Json, { newest, compacted }: Readonly<Known>): WatchCreateRequest {
  const fields = fieldsOf(asked) ?? {};
  const { key, rangeEnd = '', back, ahead, resume, filters } = fields;
  assert(typeof key === 'string' && typeof rangeEnd === 'string', 'a watch has a key');
  const start = (): Revision => {
    if (typeof back === 'number') return Math.max(1, newest - back);
    if (typeof ahead === 'number') return newest + ahead;
    if (fields.compacted === true) return compacted;
    return resume === true && newest > 0 ? newest + 1 : 0;
  };
  const names = isJsonArray(filters) ? filters : [];
  return {
    key: bytesOf(key),
    rangeEnd: bytesOf(rangeEnd),
    startRevision: start(),
    progressNotify: fields.progress === true,
    filters: names.filter((name) => name === 'noPut' || name === 'noDelete'),
    prevKv: fields.prevKv === true,
    watchId: 0,
    fragment: fields.fragment === true,
  };
}
