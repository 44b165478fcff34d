/** Every example of header blocks in RFC 7541 appendix C. */
import { expect, test } from 'vitest';
import type { HeaderField } from '../../src/http2/header-field.ts';
import { HpackDecoder } from '../../src/http2/hpack-decoder.ts';
import { fieldsOf, hex, LIMITS, tableOf } from './hpack-blocks.ts';

interface Example {
  readonly block: string;
  readonly fields: readonly HeaderField[];
  readonly table: readonly HeaderField[];
}

function runExamples(tableBytesMax: number, examples: readonly Example[]): void {
  const decoder = new HpackDecoder({ ...LIMITS, tableBytesMax });
  for (const { block, fields, table } of examples) {
    expect(fieldsOf(decoder, hex(block))).toEqual(fields);
    expect(tableOf(decoder)).toEqual(table);
  }
}

const CUSTOM: HeaderField = ['custom-key', 'custom-header'];

test.each<[string, Example]>([
  [
    'C.2.1 literal with indexing',
    {
      block: '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
      fields: [CUSTOM],
      table: [CUSTOM],
    },
  ],
  [
    'C.2.2 literal without indexing',
    {
      block: '040c 2f73 616d 706c 652f 7061 7468',
      fields: [[':path', '/sample/path']],
      table: [],
    },
  ],
  [
    'C.2.3 literal never indexed',
    {
      block: '1008 7061 7373 776f 7264 0673 6563 7265 74',
      fields: [['password', 'secret']],
      table: [],
    },
  ],
  ['C.2.4 indexed', { block: '82', fields: [[':method', 'GET']], table: [] }],
])('%s', (_, example) => {
  runExamples(4_096, [example]);
});

const AUTHORITY: HeaderField = [':authority', 'www.example.com'];
const NO_CACHE: HeaderField = ['cache-control', 'no-cache'];
const CUSTOM_VALUE: HeaderField = ['custom-key', 'custom-value'];

function requests(blocks: readonly [string, string, string]): Example[] {
  const get: HeaderField = [':method', 'GET'];
  const http: readonly HeaderField[] = [get, [':scheme', 'http'], [':path', '/'], AUTHORITY];
  const https: readonly HeaderField[] = [
    get,
    [':scheme', 'https'],
    [':path', '/index.html'],
    AUTHORITY,
  ];
  return [
    { block: blocks[0], fields: http, table: [AUTHORITY] },
    { block: blocks[1], fields: [...http, NO_CACHE], table: [NO_CACHE, AUTHORITY] },
    {
      block: blocks[2],
      fields: [...https, CUSTOM_VALUE],
      table: [CUSTOM_VALUE, NO_CACHE, AUTHORITY],
    },
  ];
}

test('C.3 requests without Huffman', () => {
  runExamples(
    4_096,
    requests([
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ]),
  );
});

test('C.4 requests with Huffman', () => {
  runExamples(
    4_096,
    requests([
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ]),
  );
});

function responses(blocks: readonly [string, string, string]): Example[] {
  const found: HeaderField = [':status', '302'];
  const temporary: HeaderField = [':status', '307'];
  const isPrivate: HeaderField = ['cache-control', 'private'];
  const date: HeaderField = ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'];
  const later: HeaderField = ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'];
  const location: HeaderField = ['location', 'https://www.example.com'];
  const gzip: HeaderField = ['content-encoding', 'gzip'];
  const cookie: HeaderField = [
    'set-cookie',
    'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ];
  return [
    {
      block: blocks[0],
      fields: [found, isPrivate, date, location],
      table: [location, date, isPrivate, found],
    },
    {
      block: blocks[1],
      fields: [temporary, isPrivate, date, location],
      table: [temporary, location, date, isPrivate],
    },
    {
      block: blocks[2],
      fields: [[':status', '200'], isPrivate, later, location, gzip, cookie],
      table: [cookie, gzip, later],
    },
  ];
}

test('C.5 responses without Huffman, which evict', () => {
  runExamples(
    256,
    responses([
      `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a
       3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
      '4803 3330 37c1 c0bf',
      `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04
       677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49
       553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
    ]),
  );
});

test('C.6 responses with Huffman, which evict', () => {
  runExamples(
    256,
    responses([
      `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e
       919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
      '4883 640e ffc1 c0bf',
      `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7
       821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed
       4ee5 b106 3d50 07`,
    ]),
  );
});
