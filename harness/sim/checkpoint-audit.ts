/**
 * Looks into the checkpoints that members write: each must hold what the log decided up to its
 * index, whether or not anybody ever starts from it.
 */
import { type Checkpoint, readDatabase } from '../../src/snap/read-checkpoint.ts';
import type { SimNode } from './node.ts';
import type { Oracle } from './oracle/oracle.ts';

/** Of the checkpoints of one member, the first few are read, and then one in so many. */
const FIRST = 4;
const ONE_IN = 4;

export class CheckpointAudit {
  readonly #oracle: Oracle;
  readonly #written = new Map<SimNode, number>();

  constructor(oracle: Oracle) {
    this.#oracle = oracle;
  }

  /** The member has replaced its checkpoint; what is wrong with that, if it is looked at. */
  async written(node: SimNode, read: () => Uint8Array): Promise<string | undefined> {
    const count = this.#written.get(node) ?? 0;
    this.#written.set(node, count + 1);
    if (count >= FIRST && count % ONE_IN !== 0) return undefined;
    const found = await checkpointIn(read());
    return typeof found === 'string' ? found : this.#oracle.compareCheckpoint(found);
  }
}

/** Of a file's content; in words why it is none. Takes no virtual time. */
export async function checkpointIn(content: Uint8Array): Promise<Checkpoint | string> {
  const file = {
    size: async () => content.length,
    readAt: async (offset: number, lengthBytes: number) =>
      content.subarray(offset, offset + lengthBytes),
  };
  const checkpoint = await readDatabase(file, 'a checkpoint');
  return checkpoint.ok ? checkpoint.value : `it cannot be read: ${checkpoint.error.reason}`;
}
