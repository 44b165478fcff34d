/** Cuts links in the node's network namespace: with nft where that works, else with iptables. */

import { LIST_COMMAND, OPEN_COMMANDS, parseSet, replaceCommand } from './nft-rules.ts';
import { NftShell } from './nft-shell.ts';
import {
  addDropCounts,
  type DropCounts,
  GRUDGE_CHAIN,
  grudgeRules,
  parseDropCounts,
} from './rules.ts';
import { runCommand } from './run-command.ts';

/** From TEST-NET-1: never a peer, so that probing with a real rule cuts nothing. */
export const PROBE_SOURCE = '192.0.2.1';

/** Suffixes of the iptables family, in the order of preference: the system's choice comes first. */
export const FLAVOURS = ['', '-nft', '-legacy'] as const;
export type Flavour = (typeof FLAVOURS)[number];

export interface Cuts {
  readonly mechanism: string;
  /** Resolves when packets of exactly these sources are dropped. */
  replace(dropFrom: readonly string[]): Promise<void>;
  /** A lower bound: what is dropped between a reading and the change after it is not counted. */
  counts(): Promise<DropCounts>;
}

/** Rejects where no nft works. */
export async function openNftCuts(): Promise<Cuts & { close(): void }> {
  const mechanism = (await runCommand('nft', ['--version'])).trim();
  const shell = new NftShell();
  let earlier: DropCounts = {};

  const listed = (line: string | undefined): DropCounts => {
    const counts = parseSet(line ?? '');
    if (counts === undefined) throw new Error(`${mechanism}: ${shell.complaint || line}`);
    return counts;
  };
  const replace = async (dropFrom: readonly string[]): Promise<void> => {
    const commands = [LIST_COMMAND, replaceCommand(dropFrom), LIST_COMMAND];
    const [before, after] = await shell.ask(commands, 2);
    const now = listed(before);
    const cut = Object.keys(listed(after));
    if (cut.length !== dropFrom.length || !dropFrom.every((source) => cut.includes(source))) {
      throw new Error(`${mechanism}: ${shell.complaint || 'the set is not what was asked for'}`);
    }
    earlier = addDropCounts(earlier, now);
  };
  try {
    listed((await shell.ask([...OPEN_COMMANDS, LIST_COMMAND], 1))[0]);
    await replace([PROBE_SOURCE]);
    await replace([]);
  } catch (error) {
    shell.close();
    throw error;
  }
  earlier = {};
  return {
    mechanism: `${mechanism}, a set`,
    replace,
    async counts() {
      return addDropCounts(earlier, listed((await shell.ask([LIST_COMMAND], 1))[0]));
    },
    close: () => shell.close(),
  };
}

/** Makes the chain, proves that a rule with a counter can be set and read, and hooks it in. */
export async function openIptablesCuts(flavour: Flavour): Promise<Cuts> {
  const apply = (rules: string): Promise<string> =>
    runCommand(`iptables${flavour}-restore`, ['--noflush'], rules);
  const save = (): Promise<string> => runCommand(`iptables${flavour}-save`, ['-c', '-t', 'filter']);

  const mechanism = (await runCommand(`iptables${flavour}`, ['--version'])).trim();
  await apply(grudgeRules([PROBE_SOURCE]));
  if (parseDropCounts(await save())[PROBE_SOURCE] === undefined) {
    throw new Error(`${mechanism}: rule not found`);
  }
  await apply(grudgeRules([]));
  await runCommand(`iptables${flavour}`, ['-A', 'INPUT', '-j', GRUDGE_CHAIN]);

  // Replacing rules resets their counters: what they had counted moves here first.
  let earlier: DropCounts = {};
  return {
    mechanism,
    async replace(dropFrom) {
      const now = parseDropCounts(await save());
      await apply(grudgeRules(dropFrom));
      earlier = addDropCounts(earlier, now);
    },
    async counts() {
      return addDropCounts(earlier, parseDropCounts(await save()));
    },
  };
}
