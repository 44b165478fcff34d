/**
 * The language of the golden transcripts. A line `> command` runs; what it causes is written
 * below it, indented. Comments (`#`) and blank lines stay. Commands:
 *
 *   members 1 2 3 [preVote] [checkQuorum] [name=number of RaftConfig …]   always first
 *   join 4                     a member with an empty log
 *   campaign 1 | tick 1 [n] | read 1 | transfer 1 2 | unreachable 1 2 | refused 1 2
 *   propose 1 a b | conf 1 addVoter 4 | conf 1 addVoter 4, remove 3 | leave 1
 *   conf 1 explicit: addVoter 4            joint until told to leave
 *   turn 1                     take and show the outputs; sends go out, writes are under way
 *   write 1 [n]                the oldest n writes become durable
 *   deliver 1>2 | deliver 2    everything on its way there now
 *   drop 1>2                   lose it instead
 *   settle                     turns, writes and deliveries until nothing is left to do
 *   quietly <command>          the same without showing it
 *   cut 1>2 | isolate 3 | heal | crash 1 [writesKept] | rollback 1 index | restart 1
 *   checkpoint 1 [keep] | status 1 2 | log 1
 */
import { assert } from '../../src/lib/assert.ts';
import {
  describeAppend,
  describeEntry,
  describeMessage,
  describeOutputs,
  describeStatus,
} from '../../src/raft/describe.ts';
import type { Message } from '../../src/raft/message.ts';
import { TestCluster } from './test-cluster.ts';

/** The transcript with its outputs made anew. */
export function runTranscript(text: string): string {
  const session = new Session();
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('  ')) continue;
    lines.push(line);
    if (line.startsWith('> ')) lines.push(...session.run(line.slice(2)).map((out) => `  ${out}`));
  }
  return lines.join('\n');
}

class Session {
  #cluster: TestCluster | undefined;
  #shown: string[] = [];

  run(command: string): readonly string[] {
    this.#shown = [];
    const [name, ...words] = command.trim().split(/\s+/);
    if (name === 'quietly') {
      this.#execute(words[0]!, words.slice(1));
      return [];
    }
    this.#execute(name!, words);
    return this.#shown;
  }

  get #running(): TestCluster {
    assert(this.#cluster !== undefined, 'golden: the first command must be members');
    return this.#cluster;
  }

  #show(member: number | bigint, lines: readonly string[]): void {
    this.#shown.push(...lines.map((line) => `${member} ${line}`));
  }

  #execute(name: string, words: readonly string[]): void {
    if (name === 'members') return this.#start(words);
    if (this.#network(name, words) || this.#lifecycle(name, words)) return;
    this.#member(name, Number(words[0]), words.slice(1));
  }

  #start(words: readonly string[]): void {
    const voters = words.filter((word) => /^\d+$/.test(word)).map(Number);
    const numbers = words.filter((word) => word.includes('=')).map((word) => word.split('='));
    const config = {
      preVote: words.includes('preVote'),
      checkQuorum: words.includes('checkQuorum'),
      ...Object.fromEntries(numbers.map(([key, value]) => [key, Number(value)])),
    };
    this.#cluster = new TestCluster({ voters, config });
    this.#cluster.onOutputs = (id, outputs) => this.#show(id, describeOutputs(outputs));
  }

  #network(name: string, words: readonly string[]): boolean {
    const cluster = this.#running;
    switch (name) {
      case 'deliver':
        this.#take(words[0]!, (position) => cluster.deliver(position));
        return true;
      case 'drop':
        this.#take(words[0]!, (position) => {
          const [message] = cluster.network.splice(position, 1);
          this.#shown.push(`lost ${describeMessage(message!)}`);
          cluster.lose(message!);
        });
        return true;
      case 'settle':
        cluster.settle();
        return true;
      case 'cut':
        cluster.cut.add(words[0]!);
        return true;
      case 'isolate':
        cluster.isolate(Number(words[0]));
        return true;
      case 'heal':
        cluster.heal();
        return true;
      default:
        return false;
    }
  }

  /** Acts on what is on its way along `from>to`, or to `to` from anybody. */
  #take(route: string, act: (position: number) => void): void {
    const [from, to] = route.includes('>') ? route.split('>') : [undefined, route];
    const matches = (message: Message): boolean =>
      message.to === BigInt(to!) && (from === undefined || message.from === BigInt(from));
    const { network } = this.#running;
    for (let left = network.filter(matches).length; left > 0; left--) {
      act(this.#running.network.findIndex(matches));
    }
  }

  #lifecycle(name: string, words: readonly string[]): boolean {
    const cluster = this.#running;
    const [id, argument] = [Number(words[0]), Number(words[1] ?? 0)];
    switch (name) {
      case 'join':
        cluster.join(id);
        return true;
      case 'crash':
        cluster.crash(id, { writesKept: argument });
        return true;
      case 'rollback':
        cluster.member(id).loseEntriesAfter(argument);
        return true;
      case 'restart':
        cluster.restart(id);
        return true;
      case 'checkpoint':
        cluster.checkpoint(id, argument);
        return true;
      case 'write':
        for (let left = Number(words[1] ?? 1); left > 0; left--) this.#write(id);
        return true;
      case 'status':
        for (const word of words) {
          this.#shown.push(...describeStatus(cluster.node(Number(word)).status()));
        }
        return true;
      default:
        return false;
    }
  }

  #write(id: number): void {
    const write = this.#running.member(id).writes[0];
    assert(write !== undefined, `golden: member ${id} has no write under way`);
    const [what, ...responses] = describeAppend(write);
    this.#show(id, [what!.replace('write', 'durable'), ...responses]);
    this.#running.completeWrite(id);
  }

  #member(name: string, id: number, words: readonly string[]): void {
    const cluster = this.#running;
    switch (name) {
      case 'campaign':
        return cluster.node(id).campaign();
      case 'tick':
        return cluster.tick(id, Number(words[0] ?? 1));
      case 'turn':
        return cluster.turn(id);
      case 'propose':
        return this.#show(id, [cluster.propose(id, ...words)]);
      case 'conf':
        return this.#show(id, [cluster.proposeConfChange(id, words.join(' '))]);
      case 'leave':
        return this.#show(id, [cluster.proposeConfChange(id, '')]);
      case 'read':
        return this.#show(id, [`context:${cluster.read(id) ?? 'dropped'}`]);
      case 'transfer':
        return this.#show(id, [cluster.node(id).transferLeadership(BigInt(words[0]!))]);
      case 'unreachable':
        return cluster.node(id).reportUnreachable(BigInt(words[0]!));
      case 'refused':
        return cluster.node(id).reportRefused(BigInt(words[0]!));
      case 'log': {
        const { log } = cluster.node(id).core;
        const entries = log.slice(log.base + 1, log.lastIndex, Number.POSITIVE_INFINITY);
        return this.#show(id, [`base:${log.base} [${entries.map(describeEntry).join(', ')}]`]);
      }
      default:
        assert(false, `golden: no command ${name}`);
    }
  }
}
