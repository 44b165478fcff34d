/** Operations of a scenario as a history, for checkers. */
import type { CheckResult } from '../../../checkers/checker.ts';
import type { Json } from '../../../checkers/history/op.ts';
import { assertNever } from '../../../src/lib/assert.ts';
import type { Recorder } from '../../recorder.ts';
import type { Outcome } from '../scenario.ts';

/** How an operation ended, and what the scenario makes of it. */
export type Ended =
  | { readonly type: 'ok'; readonly value: Json; readonly revision?: number }
  | { readonly type: 'fail' | 'info'; readonly error: string };

export interface Asked {
  readonly process: number;
  readonly f: string;
  readonly value: Json;
  readonly node?: string;
}

/** Records what is asked and how it ended. */
export async function recorded<Done extends Ended>(
  recorder: Recorder,
  asked: Asked,
  act: () => Promise<Done>,
): Promise<Done> {
  const { process, f, value, node } = asked;
  const where = node === undefined ? {} : { node };
  recorder.record({ process, type: 'invoke', f, value, ...where });
  const ended: Ended = await act();
  if (ended.type === 'ok') {
    const { revision } = ended;
    const told = revision === undefined ? {} : { revision };
    recorder.record({ process, type: 'ok', f, value: ended.value, ...where, ...told });
  } else {
    recorder.record({ process, type: ended.type, f, value, error: ended.error, ...where });
  }
  return ended as Done;
}

/** Something that is known at once. */
export function noted(recorder: Recorder, asked: Asked): void {
  const { process, f, value } = asked;
  recorder.record({ process, type: 'invoke', f, value });
  recorder.record({ process, type: 'ok', f, value });
}

/** A checker's verdict as the end of a try; `shown` are more words for the good case. */
export function outcomeOf(result: CheckResult, shown = ''): Outcome {
  const { validity, summary } = result;
  switch (validity) {
    case 'invalid':
      return { type: 'reproduced', evidence: summary };
    case 'valid':
      return { type: 'sound', evidence: shown === '' ? summary : `${summary}; ${shown}` };
    case 'unknown':
      return { type: 'undecided', reason: summary };
    default:
      return assertNever(validity);
  }
}
