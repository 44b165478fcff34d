import * as pb from '../../wire/gen/v3electionpb/v3election_pb.ts';
import type { RpcMethod } from '../rpc.ts';
import type { ElectionService } from '../services.ts';
import { esServerStream, esUnary, waitingCall } from './generated-method.ts';

/** v3electionpb.Election. */
export function electionMethods(election: ElectionService): RpcMethod[] {
  return [
    esUnary(
      '/v3electionpb.Election/Campaign',
      pb.CampaignRequestSchema,
      pb.CampaignResponseSchema,
      (request, _, context) => election.campaign(request, waitingCall(context)),
    ),
    esUnary(
      '/v3electionpb.Election/Proclaim',
      pb.ProclaimRequestSchema,
      pb.ProclaimResponseSchema,
      (request, caller) => election.proclaim(request, caller),
    ),
    esUnary(
      '/v3electionpb.Election/Leader',
      pb.LeaderRequestSchema,
      pb.LeaderResponseSchema,
      (request, caller) => election.leader(request, caller),
    ),
    esServerStream(
      '/v3electionpb.Election/Observe',
      pb.LeaderRequestSchema,
      pb.LeaderResponseSchema,
      (request, caller, sink) => election.observe(request, caller, sink),
    ),
    esUnary(
      '/v3electionpb.Election/Resign',
      pb.ResignRequestSchema,
      pb.ResignResponseSchema,
      (request, caller) => election.resign(request, caller),
    ),
  ];
}
