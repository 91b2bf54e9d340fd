/** Numbers, spans of time and tables as the pages of the console write them. */
import { type Html, html, type Part } from '../../page/html.ts';

/** `1 234 567`. */
export function countText(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** How often a second. */
export function rateText(rate: number): string {
  return rate >= 100 ? countText(rate) : rate.toFixed(1);
}

/** Of `all`; without any there is no share. */
export function shareText(part: number, all: number): string {
  if (all === 0) return '–';
  const percent = (part / all) * 100;
  return `${percent === 0 || percent >= 10 ? Math.round(percent) : percent.toPrecision(2)}\u202f%`;
}

/** How long something took. */
export function durationText(seconds: number | null): string {
  if (seconds === null) return '–';
  if (seconds >= 1) return `${seconds.toPrecision(3)}\u202fs`;
  return `${Number((seconds * 1000).toPrecision(2))}\u202fms`;
}

/** How long ago or ahead something is: the two largest units. */
export function spanText(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  const units = [
    ['d', Math.floor(total / 86_400)],
    ['h', Math.floor(total / 3600) % 24],
    ['min', Math.floor(total / 60) % 60],
    ['s', total % 60],
  ] as const;
  const first = units.findIndex(([, count]) => count > 0);
  if (first === -1) return '0\u202fs';
  return units
    .slice(first, first + 2)
    .filter(([, count]) => count > 0)
    .map(([unit, count]) => `${count}\u202f${unit}`)
    .join(' ');
}

export function bytesText(bytes: number): string {
  return `${countText(bytes / 1_048_576)}\u202fMiB`;
}

export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

export interface Table {
  readonly caption: string;
  readonly columns: readonly Column[];
  /** The first cell of a row is its heading. */
  readonly rows: readonly (readonly Part[])[];
  /** Said in place of a table without rows. */
  readonly empty: string;
  readonly note?: Part;
}

export function table({ caption, columns, rows, empty, note }: Table): Html {
  if (rows.length === 0)
    return html`<section class="card">
      <h2>${caption}</h2>
      <p class="empty">${empty}</p>
    </section>`;
  const cell = (part: Part, index: number): Html => {
    if (index === 0) return html`<th scope="row">${part}</th>`;
    return html`<td class="${columns[index]?.isNumber === true && 'number'}">${part}</td>`;
  };
  return html`<section class="card">
    <div class="scroll" role="region" aria-label="${caption}" tabindex="0">
      <table>
        <caption>
          ${caption}
        </caption>
        <thead>
          <tr>
            ${columns.map(({ title, isNumber }) => html`<th scope="col" class="${isNumber === true && 'number'}">${title}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr>
                ${row.map(cell)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${note !== undefined && html`<p class="soft small">${note}</p>`}
  </section>`;
}

export function badge(text: string, tone: 'good' | 'bad' | 'calm'): Html {
  return html`<span class="badge ${tone}">${text}</span>`;
}

/** A figure with what it is called. */
export function figure(name: string, value: Part, more: Part = null): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value} ${more !== null && html`<small>${more}</small>`}</dd>
  </div>`;
}

/** Names and what is said of them; those without anything to say are left out. */
export function facts(entries: readonly (readonly [name: string, value: Part])[]): Html {
  const told = entries.filter(([, value]) => Boolean(value));
  return html`<dl class="facts">
    ${told.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;
}
