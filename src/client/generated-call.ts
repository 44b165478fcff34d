import {
  create,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { frameMessage } from '../wire/grpc-frame.ts';
import type { CallOptions, EtcdClient, Outcome } from './etcd-client.ts';
import { answerOf } from './lease-client.ts';

/** A method of etcd's API that has no function of its own here; `path`: `package.Service/Method`. */
export interface GeneratedMethod<Request extends DescMessage, Response extends DescMessage> {
  readonly path: string;
  readonly request: Request;
  readonly response: Response;
}

/** A unary call of any method; the answer is what `pick` takes of it. */
export function callGenerated<
  Request extends DescMessage,
  Response extends DescMessage,
  Value extends object,
>(
  client: EtcdClient,
  method: GeneratedMethod<Request, Response>,
  fields: MessageInitShape<Request>,
  pick: (message: MessageShape<Response>) => Value,
  options?: CallOptions,
): Outcome<Value> {
  const { path, request, response } = method;
  const frame = frameMessage(toBinary(request, create(request, fields)));
  return client.call(path, frame, answerOf(response, pick), options);
}
