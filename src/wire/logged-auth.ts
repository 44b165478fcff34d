import type { AuthRequest, Permission, PermissionType } from '../auth/request.ts';
import { EMPTY_BYTES } from '../lib/bytes.ts';
import type { ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';

/** Log entries that change users, roles and permissions: their bodies, by type. */

type Of<Type extends AuthRequest['type']> = Extract<AuthRequest, { type: Type }>;
type Codec<Request extends AuthRequest> = {
  /** Number of the variant in InternalRaftRequest. */
  readonly field: number;
  readonly write: (writer: ProtoWriter, request: Request) => void;
  readonly read: (reader: ProtoReader) => Request;
};

export const AUTH_CODECS: { readonly [Type in AuthRequest['type']]: Codec<Of<Type>> } = {
  authEnable: { field: 1000, write: () => undefined, read: () => ({ type: 'authEnable' }) },
  authDisable: { field: 1011, write: () => undefined, read: () => ({ type: 'authDisable' }) },
  authenticate: {
    field: 1012,
    write: (writer, { name, simpleToken }) => {
      writer.string(1, name);
      writer.string(3, simpleToken);
    },
    read: (reader) => {
      const { first, third } = readStrings(reader);
      return { type: 'authenticate', name: first, simpleToken: third };
    },
  },
  userAdd: { field: 1100, write: writeUserAdd, read: readUserAdd },
  userDelete: {
    field: 1101,
    write: (writer, { name }) => writer.string(1, name),
    read: (reader) => ({ type: 'userDelete', name: readStrings(reader).first }),
  },
  userChangePassword: {
    field: 1103,
    write: (writer, { name, hashedPassword }) => {
      writer.string(1, name);
      writer.string(3, hashedPassword);
    },
    read: (reader) => {
      const { first, second, third } = readStrings(reader);
      refusePlainPassword(reader, second, third);
      return { type: 'userChangePassword', name: first, hashedPassword: third };
    },
  },
  userGrantRole: {
    field: 1104,
    write: (writer, { user, role }) => writePair(writer, user, role),
    read: (reader) => {
      const { first, second } = readStrings(reader);
      return { type: 'userGrantRole', user: first, role: second };
    },
  },
  userRevokeRole: {
    field: 1105,
    write: (writer, { name, role }) => writePair(writer, name, role),
    read: (reader) => {
      const { first, second } = readStrings(reader);
      return { type: 'userRevokeRole', name: first, role: second };
    },
  },
  roleAdd: {
    field: 1200,
    write: (writer, { name }) => writer.string(1, name),
    read: (reader) => ({ type: 'roleAdd', name: readStrings(reader).first }),
  },
  roleDelete: {
    field: 1201,
    write: (writer, { role }) => writer.string(1, role),
    read: (reader) => ({ type: 'roleDelete', role: readStrings(reader).first }),
  },
  roleGrantPermission: { field: 1203, write: writeGrant, read: readGrant },
  roleRevokePermission: { field: 1204, write: writeRevoke, read: readRevoke },
};

interface Strings {
  readonly first: string;
  readonly second: string;
  readonly third: string;
}

/** Most bodies are nothing but strings. */
function readStrings(reader: ProtoReader): Strings {
  const strings = ['', '', '', ''];
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field <= 3) strings[field] = reader.string();
    else reader.skip();
  }
  return { first: strings[1]!, second: strings[2]!, third: strings[3]! };
}

function writePair(writer: ProtoWriter, first: string, second: string): void {
  writer.string(1, first);
  writer.string(2, second);
}

/** Up to 3.4 each member of etcd hashed for itself, with a result of its own. */
function refusePlainPassword(reader: ProtoReader, password: string, hashed: string): void {
  if (password === '' || hashed !== '') return;
  reader.fail(
    'unknownVariant',
    'log entry with a password that is not hashed, as etcd 3.4 writes it: start from a snapshot',
  );
}

function writeUserAdd(writer: ProtoWriter, request: Of<'userAdd'>): void {
  writer.string(1, request.name);
  if (request.noPassword) writer.message(3, true, (options, value) => options.bool(1, value));
  writer.string(4, request.hashedPassword);
}

function readUserAdd(reader: ProtoReader): Of<'userAdd'> {
  let name = '';
  let password = '';
  let noPassword = false;
  let hashedPassword = '';
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) name = reader.string();
    else if (field === 2) password = reader.string();
    else if (field === 3) noPassword = reader.message(readUserOptions);
    else if (field === 4) hashedPassword = reader.string();
    else reader.skip();
  }
  if (!noPassword) refusePlainPassword(reader, password, hashedPassword);
  return { type: 'userAdd', name, hashedPassword, noPassword };
}

function readUserOptions(reader: ProtoReader): boolean {
  let noPassword = false;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) noPassword = reader.bool();
    else reader.skip();
  }
  return noPassword;
}

/** Numbers are the enum's. */
const PERMISSION_TYPES: readonly PermissionType[] = ['read', 'write', 'readWrite'];

function writeGrant(writer: ProtoWriter, request: Of<'roleGrantPermission'>): void {
  writer.string(1, request.name);
  if (request.permission !== undefined) writer.message(2, request.permission, writePermission);
}

function readGrant(reader: ProtoReader): Of<'roleGrantPermission'> {
  let name = '';
  let permission: Permission | undefined;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) name = reader.string();
    else if (field === 2) permission = reader.message(readPermission);
    else reader.skip();
  }
  return { type: 'roleGrantPermission', name, permission };
}

function writePermission(writer: ProtoWriter, permission: Permission): void {
  writer.int64(1, PERMISSION_TYPES.indexOf(permission.type));
  writer.bytes(2, permission.key);
  writer.bytes(3, permission.rangeEnd);
}

function readPermission(reader: ProtoReader): Permission {
  let number = 0;
  let key = EMPTY_BYTES;
  let rangeEnd = EMPTY_BYTES;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) number = reader.enumNumber();
    else if (field === 2) key = reader.bytes();
    else if (field === 3) rangeEnd = reader.bytes();
    else reader.skip();
  }
  const type = PERMISSION_TYPES[number];
  if (type === undefined) reader.fail('unknownVariant', `permission of unknown type ${number}`);
  return { type: type ?? 'read', key, rangeEnd };
}

function writeRevoke(writer: ProtoWriter, request: Of<'roleRevokePermission'>): void {
  writer.string(1, request.role);
  writer.bytes(2, request.key);
  writer.bytes(3, request.rangeEnd);
}

function readRevoke(reader: ProtoReader): Of<'roleRevokePermission'> {
  let role = '';
  let key = EMPTY_BYTES;
  let rangeEnd = EMPTY_BYTES;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) role = reader.string();
    else if (field === 2) key = reader.bytes();
    else if (field === 3) rangeEnd = reader.bytes();
    else reader.skip();
  }
  return { type: 'roleRevokePermission', role, key, rangeEnd };
}
