/**
 * HTML and SVG by tagged template. Every interpolated text is escaped, for elements as for quoted
 * attributes; only what this file made itself is taken as markup.
 */

/** Markup that is safe to put into a page as it is. */
export interface Html {
  readonly markup: string;
}

/** What a template may hold: texts are escaped, nothing is made of `undefined` and `false`. */
export type Part = Html | string | number | undefined | false | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const markup = texts.map((text, at) => (at === 0 ? text : render(parts[at - 1]) + text)).join('');
  return { markup };
}

/** Takes `markup` as it is: only for constants of this program and texts of its dependencies. */
export function trusted(markup: string): Html {
  return { markup };
}

/** A data block for scripts: JSON that cannot end its element, whatever its texts hold. */
export function jsonScript(id: string, data: unknown): Html {
  const json = JSON.stringify(data).replaceAll('<', '\\u003c');
  return html`<script type="application/json" id="${id}">${trusted(json)}</script>`;
}

function render(part: Part): string {
  if (part === undefined || part === false) return '';
  if (typeof part === 'number') return String(part);
  if (typeof part === 'string') return part.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '');
  if (isList(part)) return part.map(render).join('');
  return part.markup;
}

/** `Array.isArray` that narrows readonly arrays. */
function isList(part: Part): part is readonly Part[] {
  return Array.isArray(part);
}
