/** Mistakes in who belongs to the cluster, as the log and the checkpoints say. */
import { edit, type Mutant } from '../mutant.ts';

const MEMBER = 'src/member/member.ts';
const MEMBERSHIP = 'src/member/membership.ts';
const STATE = 'src/member/replicated-state.ts';
const STORED_JSON = 'src/snap/stored-json.ts';

export const MEMBERSHIP_MUTANTS: readonly Mutant[] = [
  {
    name: 'voters-left-out-of-checkpoint',
    area: 'membership',
    story: 'checkpoints are written with the voters of the start, none: a restart is refused',
    edits: [
      edit(
        MEMBER,
        'this.#confState = this.#raft.applyConfChange(raftChange(change));',
        'this.#raft.applyConfChange(raftChange(change));',
      ),
    ],
  },
  {
    name: 'checkpoint-leaves-out-its-writer',
    area: 'membership',
    story: 'a checkpoint lists the other voters only: restarted members never stand for election',
    edits: [
      edit(
        MEMBER,
        `    this.#checkpoints.begin(now);
    return this.#machine.image(this.#confState);`,
        `    this.#checkpoints.begin(now);
    const voters = this.#confState.voters.filter((voter) => voter !== this.#config.memberId);
    return this.#machine.image({ ...this.#confState, voters });`,
      ),
    ],
  },
  {
    name: 'members-left-out-of-checkpoint',
    area: 'membership',
    story: 'checkpoints hold no member table: after a restart the list of members is empty',
    edits: [edit(STATE, 'members: state.membership.list(),', 'members: [],')],
  },
  {
    name: 'checkpoint-forgets-names',
    area: 'membership',
    story: 'checkpoints leave out the names of members: after a restart the others have none',
    edits: [
      edit(
        STORED_JSON,
        `  if (member.name !== '') fields.push(\`"name":\${JSON.stringify(member.name)}\`);\n`,
        '',
      ),
    ],
  },
  {
    name: 'published-urls-not-kept',
    area: 'membership',
    story:
      'published client URLs are not stored: nobody finds the member, which publishes for ever',
    edits: [
      edit(
        MEMBERSHIP,
        'this.#members.set(member.id, { ...member, name, clientUrls });',
        'this.#members.set(member.id, { ...member, name });',
      ),
    ],
  },
];
