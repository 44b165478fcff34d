/** What an administrator asks of a cluster. */
import type { EtcdClient } from '../../../src/client/etcd-client.ts';
import { AlarmRequest_AlarmAction, AlarmType } from '../../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import { callMethod } from './call.ts';
import { ALARM, HASH_KV } from './methods.ts';
import { must } from './must.ts';
import type { ScenarioLab } from './scenario-lab.ts';

const AGREE_MS = 30_000;
const CALL_MS = 10_000;

/** Ids of the members that have run out of space. */
export async function noSpaceAlarms(client: EtcdClient): Promise<readonly bigint[]> {
  const fields = { action: AlarmRequest_AlarmAction.GET, alarm: AlarmType.NONE };
  const answer = must('the alarms', await callMethod(client, ALARM, fields));
  const full = answer.alarms.filter(({ alarm }) => alarm === AlarmType.NOSPACE);
  return full.map(({ memberID }) => memberID);
}

export async function disarmNoSpace(client: EtcdClient): Promise<void> {
  const action = AlarmRequest_AlarmAction.DEACTIVATE;
  for (const memberID of await noSpaceAlarms(client)) {
    const fields = { action, memberID, alarm: AlarmType.NOSPACE };
    must('disarming', await callMethod(client, ALARM, fields));
  }
}

/** Resolves with the hash on which all members agree, at one revision; throws Undecided if never. */
export async function agreedHash(lab: ScenarioLab, urls: readonly string[]): Promise<number> {
  const clients = urls.map((url) => lab.client(url));
  const put = await clients[0]!.put({ key: 'storm/last', value: '' }, { timeoutMs: CALL_MS });
  const revision = BigInt(must('a put', put).header.revision);
  return lab.need('the same hash everywhere', AGREE_MS, async () => {
    const answers = await Promise.all(
      clients.map((client) => callMethod(client, HASH_KV, { revision }, { timeoutMs: CALL_MS })),
    );
    const hashes = new Set(answers.map((answer) => (answer.ok ? answer.value.hash : undefined)));
    return hashes.size === 1 ? [...hashes][0] : undefined;
  });
}
