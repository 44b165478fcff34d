/** Calls to the programs inside a node: the fault agent and the disk-fault server. */

import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { ClusterError } from '../cluster.ts';

const CALL_TIMEOUT_MS = 5_000;

export interface ControlCall {
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly url: string;
  readonly body?: unknown;
}

/** What came back, whatever its status: the program is there and has decided. */
export interface ControlAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * One call on a new connection: one kept open would be stale after every restart of what stands
 * behind the published port. Throws ClusterError when nobody answers within 5 s.
 */
export async function controlCall({ method, url, body }: ControlCall): Promise<ControlAnswer> {
  const payload = body === undefined ? '' : JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': payload.length };
  try {
    return await new Promise((resolve, reject) => {
      const call = request(url, { method, agent: false, timeout: CALL_TIMEOUT_MS, headers });
      call.on('timeout', () => call.destroy(new Error(`silent for ${CALL_TIMEOUT_MS} ms`)));
      call.on('error', reject);
      call.on('response', (response) => {
        text(response)
          .then((answer) => resolve({ status: response.statusCode ?? 0, text: answer }))
          .catch(reject);
      });
      call.end(payload);
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ClusterError(`${method} ${url}: ${reason}`, { cause });
  }
}

/** As controlCall; ClusterError also when the answer is not a success. */
export async function controlDone(call: ControlCall): Promise<ControlAnswer> {
  return requireDone(call, await controlCall(call));
}

/** The answer, when it is a success; throws ClusterError with its text otherwise. */
export function requireDone({ method, url }: ControlCall, answer: ControlAnswer): ControlAnswer {
  if (answer.status >= 200 && answer.status <= 299) return answer;
  throw new ClusterError(`${method} ${url}: status ${answer.status}: ${answer.text.trim()}`);
}

/** The members of the answer's JSON object that are numbers. */
export function numbersIn(answer: ControlAnswer): Readonly<Record<string, number>> {
  const isNumber = (entry: readonly [string, unknown]): entry is [string, number] =>
    Number.isFinite(entry[1]);
  return Object.fromEntries(Object.entries(parseAnswer(answer)).filter(isNumber));
}

/** The members of the answer's JSON object; none when it is something else. */
export function parseAnswer({ text: json }: ControlAnswer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
