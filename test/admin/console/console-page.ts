/** What a page of the console says, as a browser shows it. */
import type { Locator, Page } from 'playwright-core';

/** Cells of the row with this heading, in the table with this caption. */
export function rowTexts(page: Page, caption: string, heading: string): Promise<readonly string[]> {
  return textsOf(
    page
      .getByRole('table', { name: caption })
      .getByRole('row')
      .filter({ has: page.getByRole('rowheader', { name: heading, exact: true }) })
      .getByRole('cell'),
  );
}

export async function figureText(page: Page, name: string): Promise<string> {
  const figure = page.locator('.figures > div', { has: page.getByText(name, { exact: true }) });
  return (await textsOf(figure.locator('dd')))[0]!;
}

/** Numbers and their units are kept together by a narrow space. */
async function textsOf(cells: Locator): Promise<readonly string[]> {
  return (await cells.allInnerTexts()).map((text) => text.replaceAll('\u202f', ' ').trim());
}
