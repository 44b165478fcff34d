/** One answer to a GET, whole. */
export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Route = (query: URLSearchParams) => Page | Promise<Page>;

const TEXT = 'text/plain; charset=utf-8';

export function textPage(status: number, text: string): Page {
  return { status, contentType: TEXT, body: `${text}\n` };
}

export function jsonPage(status: number, value: object): Page {
  return { status, contentType: 'application/json', body: JSON.stringify(value) };
}
