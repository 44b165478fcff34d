/** Alarms, as a simulated client asks for them. A list must be what the log says. */
import { create } from '@bufbuild/protobuf';
import {
  AlarmRequest_AlarmAction as AlarmAction,
  AlarmRequestSchema,
  AlarmType,
} from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import type { AlarmClient } from '../../workloads/full-client.ts';
import { answered } from './client-leases.ts';
import type { ClientLink } from './client-link.ts';

const ACTIONS = {
  list: AlarmAction.GET,
  activate: AlarmAction.ACTIVATE,
  deactivate: AlarmAction.DEACTIVATE,
} as const;

export function alarmCalls(link: ClientLink): Pick<AlarmClient, 'alarm'> {
  const { oracle } = link.parts;
  return {
    alarm: ({ action, memberId: memberID }, options) =>
      link.call(
        options,
        async ({ maintenance }, { caller }) => {
          const parts = { action: ACTIONS[action], memberID, alarm: AlarmType.NOSPACE };
          const made = await maintenance.alarm(create(AlarmRequestSchema, parts), caller);
          if (!made.ok) return made;
          const memberIds = made.value.alarms.map((alarm) => alarm.memberID);
          return answered(made.value.header, { memberIds });
        },
        ({ applied, result }) => {
          if (action !== 'list') return undefined;
          const words = wordsOf(result.memberIds);
          const alarms = oracle.upkeepAt(applied).alarms.filter(({ type }) => type === 'NOSPACE');
          const expected = wordsOf(alarms.map((alarm) => alarm.memberId));
          if (words === expected) return undefined;
          return `alarms at index ${applied} of ${words}; the model says of ${expected}`;
        },
      ),
  };
}

function wordsOf(memberIds: readonly bigint[]): string {
  return memberIds.map(String).sort().join(', ') || 'nobody';
}
