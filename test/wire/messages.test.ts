import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCompare, writeCompare } from '../../src/wire/compare-messages.ts';
import {
  deleteRangeResponseSizeHintBytes,
  readDeleteRangeRequest,
  readDeleteRangeResponse,
  writeDeleteRangeRequest,
  writeDeleteRangeResponse,
} from '../../src/wire/delete-range-messages.ts';
import * as rpc from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import { KeyValueSchema } from '../../src/wire/gen/mvccpb/kv_pb.ts';
import { readKeyValue, writeKeyValue } from '../../src/wire/kv-messages.ts';
import { decodeMessage, type ProtoReader } from '../../src/wire/proto-reader.ts';
import { ProtoWriter } from '../../src/wire/proto-writer.ts';
import {
  putRequestSizeHintBytes,
  putResponseSizeHintBytes,
  readPutRequest,
  readPutResponse,
  writePutRequest,
  writePutResponse,
} from '../../src/wire/put-messages.ts';
import {
  rangeKeyValueSizeBytes,
  rangeResponseSizeHintBytes,
  readRangeRequest,
  readRangeResponse,
  writeRangeRequest,
  writeRangeResponse,
} from '../../src/wire/range-messages.ts';
import {
  readTxnRequest,
  readTxnResponse,
  txnResponseSizeHintBytes,
  writeTxnRequest,
  writeTxnResponse,
} from '../../src/wire/txn-messages.ts';
import * as arbitrary from './arbitraries.ts';
import * as init from './to-generated.ts';

/**
 * Codecs written by hand against those generated from the .proto files: the same bytes out of
 * the same value, and the same value out of those bytes, is agreement both ways.
 */

interface Codec<Value, Schema extends DescMessage> {
  readonly values: fc.Arbitrary<Value>;
  readonly schema: Schema;
  readonly oracle: (value: Value) => MessageInitShape<Schema>;
  readonly write: (writer: ProtoWriter, value: Value) => void;
  readonly read: (reader: ProtoReader) => Value;
  readonly sizeHintBytes?: (value: Value) => number;
}

function agrees<Value, Schema extends DescMessage>(name: string, codec: Codec<Value, Schema>) {
  test(name, () => {
    fc.assert(
      fc.property(codec.values, (value) => {
        const writer = new ProtoWriter(1);
        codec.write(writer, value);
        const bytes = writer.finish();
        const expected = toBinary(codec.schema, create(codec.schema, codec.oracle(value)));
        expect(Buffer.from(bytes).equals(expected)).toBe(true);
        expect(decodeMessage(expected, codec.read)).toEqual({ ok: true, value });
        const hint = codec.sizeHintBytes?.(value);
        if (hint !== undefined) expect(hint).toBeGreaterThanOrEqual(bytes.length);
      }),
      arbitrary.PROPERTY as fc.Parameters<[Value]>,
    );
  });
}

describe('hand-written codecs agree with the generated ones', () => {
  const answer = <Result>(result: fc.Arbitrary<Result>) =>
    fc.record({ header: arbitrary.header, result });

  agrees('KeyValue', {
    values: arbitrary.keyValue,
    schema: KeyValueSchema,
    oracle: init.keyValueInit,
    write: writeKeyValue,
    read: readKeyValue,
  });
  agrees('RangeRequest', {
    values: arbitrary.rangeRequest,
    schema: rpc.RangeRequestSchema,
    oracle: init.rangeRequestInit,
    write: writeRangeRequest,
    read: readRangeRequest,
  });
  agrees('RangeResponse', {
    values: answer(arbitrary.rangeResult),
    schema: rpc.RangeResponseSchema,
    oracle: ({ header, result }) => init.rangeResponseInit(header, result),
    write: writeRangeResponse,
    read: readRangeResponse,
    sizeHintBytes: ({ result }) => rangeResponseSizeHintBytes(result),
  });
  agrees('PutRequest', {
    values: arbitrary.putRequest,
    schema: rpc.PutRequestSchema,
    oracle: init.putRequestInit,
    write: writePutRequest,
    read: readPutRequest,
    sizeHintBytes: putRequestSizeHintBytes,
  });
  agrees('PutResponse', {
    values: answer(arbitrary.putResult),
    schema: rpc.PutResponseSchema,
    oracle: ({ header, result }) => init.putResponseInit(header, result),
    write: writePutResponse,
    read: readPutResponse,
    sizeHintBytes: ({ result }) => putResponseSizeHintBytes(result),
  });
  agrees('DeleteRangeRequest', {
    values: arbitrary.deleteRangeRequest,
    schema: rpc.DeleteRangeRequestSchema,
    oracle: init.deleteRangeRequestInit,
    write: writeDeleteRangeRequest,
    read: readDeleteRangeRequest,
  });
  agrees('DeleteRangeResponse', {
    values: answer(arbitrary.deleteRangeResult),
    schema: rpc.DeleteRangeResponseSchema,
    oracle: ({ header, result }) => init.deleteRangeResponseInit(header, result),
    write: writeDeleteRangeResponse,
    read: readDeleteRangeResponse,
    sizeHintBytes: ({ result }) => deleteRangeResponseSizeHintBytes(result),
  });
  agrees('Compare', {
    values: arbitrary.compare,
    schema: rpc.CompareSchema,
    oracle: init.compareInit,
    write: writeCompare,
    read: readCompare,
  });
  agrees('TxnRequest', {
    values: arbitrary.txnRequest,
    schema: rpc.TxnRequestSchema,
    oracle: init.txnRequestInit,
    write: writeTxnRequest,
    read: readTxnRequest,
  });
  agrees('TxnResponse', {
    values: answer(arbitrary.txnResult),
    schema: rpc.TxnResponseSchema,
    oracle: ({ header, result }) => init.txnResponseInit(header, result),
    write: writeTxnResponse,
    read: readTxnResponse,
    sizeHintBytes: ({ result }) => txnResponseSizeHintBytes(result),
  });
});

test('what a key takes in an answer to a range is known before it is written', () => {
  fc.assert(
    fc.property(arbitrary.keyValue, (kv) => {
      const writer = new ProtoWriter();
      writer.message(2, kv, writeKeyValue);
      // An empty message is written with a length of zero; a key is never empty.
      fc.pre(kv.key.length > 0);
      expect(rangeKeyValueSizeBytes(kv)).toBe(writer.finish().length);
    }),
    arbitrary.PROPERTY,
  );
});
