/** What a command line comes down to. */
import type { Services } from '../services.ts';

/** Resolves with the exit status. */
export type Action = (services: Services) => Promise<number>;

/** Takes the action of the command that was given; nothing runs while the line is parsed. */
export type Choose = (action: Action) => void;
