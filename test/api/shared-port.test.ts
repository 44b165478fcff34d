import { expect, test } from 'vitest';
import { type ClientPortsOptions, openClientPorts } from '../../src/api/client-ports.ts';
import { DEFAULT_API_LIMITS } from '../../src/api/limits.ts';
import { SILENT_LOG } from './api-fixture.ts';

const HOST = '127.0.0.1';
const OPTIONS: ClientPortsOptions = {
  limits: DEFAULT_API_LIMITS,
  log: SILENT_LOG,
  acceptHttp1: undefined,
  acceptHttp2: undefined,
};

test.runIf(process.platform === 'linux')('a client port may be shared, if asked for', async () => {
  const sharing = { ...OPTIONS, reusePort: true };
  const [first] = await openClientPorts([{ host: HOST, port: 0 }], sharing);
  const { address } = first!;
  const [second] = await openClientPorts([address], sharing);
  expect(second!.address.port).toBe(address.port);
  await expect(openClientPorts([address], OPTIONS)).rejects.toThrow('the port is in use');
  await first!.close();
  await second!.close();
});
