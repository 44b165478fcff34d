/** Unary calls that the plain client has no method for, in anybody's name. */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { type ClientError, maybeSent } from '../../../src/client/client-error.ts';
import type { EtcdClient } from '../../../src/client/etcd-client.ts';
import type { GeneratedMethod } from '../../../src/client/generated-call.ts';
import { err, ok, type Result } from '../../../src/lib/result.ts';
import { frameMessage } from '../../../src/wire/grpc-frame.ts';

export interface CallAs {
  /** Who asks: a token that Authenticate gave. */
  readonly token?: string;
  readonly timeoutMs?: number;
}

export function callMethod<Request extends DescMessage, Response extends DescMessage>(
  client: EtcdClient,
  method: GeneratedMethod<Request, Response>,
  fields: MessageInitShape<Request>,
  { token, timeoutMs }: CallAs = {},
): Promise<Result<MessageShape<Response>, ClientError>> {
  const { promise, resolve } = Promise.withResolvers<Result<MessageShape<Response>, ClientError>>();
  let answer: MessageShape<Response> | undefined;
  const call = client.stream(
    method.path,
    {
      onMessage: (bytes) => {
        answer = fromBinary(method.response, bytes);
      },
      onEnd: (error) => {
        if (error !== undefined) resolve(err(error));
        else resolve(answer === undefined ? err(maybeSent('no answer')) : ok(answer));
      },
    },
    {
      ...(token !== undefined && { metadata: { token } }),
      ...(timeoutMs !== undefined && { openTimeoutMs: timeoutMs }),
    },
  );
  const request = toBinary(method.request, create(method.request, fields));
  call.send(frameMessage(request));
  call.halfClose();
  return promise;
}
