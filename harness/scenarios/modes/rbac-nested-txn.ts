/** CVE-2026-33343: a transaction inside a transaction is not checked against the permissions. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { EtcdClient } from '../../../src/client/etcd-client.ts';
import { utf8Encode } from '../../../src/lib/utf8.ts';
import { Permission_Type } from '../../../src/wire/gen/authpb/auth_pb.ts';
import { TxnRequestSchema } from '../../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import { accessChecker } from '../checkers/access.ts';
import { callMethod } from '../lab/call.ts';
import * as methods from '../lab/methods.ts';
import { must } from '../lab/must.ts';
import { noted, outcomeOf, recorded } from '../lab/recording.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import { type Outcome, type Scenario, Undecided } from '../scenario.ts';

const OWN = 'own/';
const SECRET = 'secret/key';
const USER = 'eve';

export const RBAC_NESTED_TXN: Scenario = {
  name: 'rbac-nested-txn',
  story: 'a user reads and writes keys that their role does not cover',
  affected: 'up to 3.4.42, 3.5.x and 3.6.x of that time (CVE-2026-33343)',
  trigger: 'the user puts the forbidden requests into a transaction inside a transaction',
  checker: 'harness/scenarios/checkers/access.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'permission denied, as for the plain requests' },
    etcd: { outcome: 'reproduced', words: 'the forbidden key is shown and changed' },
  },
  timeLimitMs: 60_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 1 });
  await cluster.serve();
  const client = cluster.client(cluster.node(0));
  must('a put', await client.put({ key: SECRET, value: 'nobody knows' }));
  await addUsers(client);
  noted(lab.recorder, { process: 0, f: 'grant', value: { user: USER, prefix: OWN } });
  const { token } = must(
    'a login',
    await callMethod(client, methods.AUTHENTICATE, { name: USER, password: USER }),
  );
  const key = utf8Encode(SECRET);
  const access = (keyText: string, act: () => ReturnType<typeof callMethod>): Promise<unknown> => {
    const value = { user: USER, keys: [keyText] };
    return recorded(lab.recorder, { process: 0, f: 'access', value }, async () => {
      const answer = await act();
      if (answer.ok) return { type: 'ok', value };
      if (!answer.error.definite) throw new Undecided(`no answer: ${answer.error.message}`);
      return { type: 'fail', error: answer.error.message };
    });
  };
  await access(SECRET, () => callMethod(client, methods.RANGE, { key }, { token }));
  const own = utf8Encode(`${OWN}key`);
  await access(`${OWN}key`, () => callMethod(client, methods.TXN, inside(own), { token }));
  await access(SECRET, () => callMethod(client, methods.TXN, plain(key), { token }));
  await access(SECRET, () => callMethod(client, methods.TXN, inside(key), { token }));
  return outcomeOf(accessChecker().check(lab.recorder.history));
}

/** Reads and writes the key. */
function plain(key: Uint8Array): MessageInitShape<typeof TxnRequestSchema> {
  const value = utf8Encode(USER);
  return {
    success: [
      { request: { case: 'requestRange', value: { key } } },
      { request: { case: 'requestPut', value: { key, value } } },
    ],
  };
}

function inside(key: Uint8Array): MessageInitShape<typeof TxnRequestSchema> {
  const value = create(TxnRequestSchema, plain(key));
  return { success: [{ request: { case: 'requestTxn', value } }] };
}

/** Everybody's password is their name. */
async function addUsers(client: EtcdClient): Promise<void> {
  for (const name of ['root', USER]) {
    must('a user', await callMethod(client, methods.USER_ADD, { name, password: name }));
    must('a role', await callMethod(client, methods.ROLE_ADD, { name }));
    must('its use', await callMethod(client, methods.USER_GRANT_ROLE, { user: name, role: name }));
  }
  const perm = {
    permType: Permission_Type.READWRITE,
    key: utf8Encode(OWN),
    rangeEnd: utf8Encode('own0'),
  };
  must('a grant', await callMethod(client, methods.ROLE_GRANT, { name: USER, perm }));
  must('auth', await callMethod(client, methods.AUTH_ENABLE, {}));
}
