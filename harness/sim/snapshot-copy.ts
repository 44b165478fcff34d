/** A snapshot's file on its way between two simulated disks, in pieces that take time. */
import type { MsgSnap } from '../../src/raft/message.ts';
import type { SnapshotSink, SnapshotSource } from '../../src/snap/snapshot-files.ts';

const CHUNK_BYTES = 16 * 1024;

export interface SnapshotRoute {
  readonly source: SnapshotSource;
  /** Who receives now; undefined: dead, or behind a cut. Another life is another value. */
  receiver(): { readonly sink: SnapshotSink } | undefined;
  /** The time that one piece takes; never ends if the sender dies. */
  pause(): Promise<void>;
}

/**
 * The message as it is to be delivered, once the file is durable and sound at the receiver;
 * `undefined` when the receiver was lost on the way. Rejects when either disk refuses.
 */
export async function copySnapshot(
  message: MsgSnap,
  route: SnapshotRoute,
): Promise<MsgSnap | undefined> {
  const snapshot = await route.source.open();
  try {
    const station = route.receiver();
    if (station === undefined) return undefined;
    const receiving = await station.sink.create(snapshot.meta);
    for (let offset = 0; offset < snapshot.sizeBytes; ) {
      const chunk = await snapshot.readAt(offset, CHUNK_BYTES);
      await route.pause();
      if (route.receiver() !== station || chunk.length === 0) {
        // Never ends if the receiver is dead.
        receiving.abort().catch(() => undefined);
        return undefined;
      }
      await receiving.write(chunk);
      offset += chunk.length;
    }
    await receiving.finish();
    return { ...message, snapshot: snapshot.meta };
  } finally {
    await snapshot.close();
  }
}
