/** `storm sweep`, and the sweep at the start of every other command. */
import { sweepAll } from '../backends.ts';
import type { Services } from '../services.ts';

/** Removes what killed harnesses left behind; prints nothing when there was nothing. */
export async function sweepFirst(services: Services): Promise<void> {
  const swept = await sweepAll(services.backends, onSilent(services));
  if (swept !== '') services.progress.print(`sweep: removed ${swept} of dead runs`);
}

export async function sweepCommand(services: Services): Promise<void> {
  const swept = await sweepAll(services.backends, onSilent(services));
  services.progress.print(`sweep: ${swept === '' ? 'nothing left over' : `removed ${swept}`}`);
}

function onSilent({ progress }: Services): (detail: string) => void {
  return (detail) => progress.print(`sweep: docker was not swept: ${detail}`);
}
