/** Tables that scroll sideways by themselves on a narrow screen, also by keyboard. */
import { formatCount } from '../format.ts';
import { type Html, html, type Part, trusted } from '../html.ts';

/** Tables with so many columns keep a least width, and scroll where there is less. */
const WIDE_COLUMNS = 6;

export interface Table {
  readonly caption: string;
  readonly columns: readonly string[];
  /** The first cell of a row is its heading. */
  readonly rows: readonly (readonly Part[])[];
  /** Rows beyond are left out, and the caption says so. */
  readonly rowsMax: number;
}

export function table({ caption, columns, rows, rowsMax }: Table): Html {
  const shown = rows.slice(0, rowsMax);
  const cut =
    rows.length > rowsMax && ` The first ${formatCount(rowsMax)} of ${formatCount(rows.length)}.`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
<table${columns.length >= WIDE_COLUMNS && trusted(' class="wide"')}>
<caption><span>${caption}${cut}</span></caption>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${shown.map(tableRow)}</tbody>
</table>
</div>`;
}

function tableRow([heading, ...cells]: readonly Part[]): Html {
  return html`<tr><th scope="row">${heading}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>
`;
}
