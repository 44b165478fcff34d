/** What clients do beside their operations: waiting, and going on by themselves. */

export interface Background {
  wait(delayMs: number): Promise<void>;
  /** The run comes to its end: whatever goes on by itself stops. */
  isOver(): boolean;
}

/** What `work` resolves with, or undefined if it takes longer. It goes on then. */
export function soonOrNot<Value>(
  background: Background,
  limitMs: number,
  work: Promise<Value>,
): Promise<Value | undefined> {
  return Promise.race([work, background.wait(limitMs).then(() => undefined)]);
}
