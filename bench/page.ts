/** `npm run bench:page -- A.json [B.json] > page.html`: a page of a run that was kept, with another one over it. */
import { readFileSync } from 'node:fs';
import { pageOf } from './html.ts';
import type { Report } from './report.ts';

const read = (file: string): Report => JSON.parse(readFileSync(file, 'utf8')) as Report;
const [, , file, over] = process.argv;
if (file === undefined) {
  console.error('usage: bench:page RESULT.json [RESULT.json]');
  process.exit(2);
}
process.stdout.write(pageOf(read(file), over === undefined ? null : read(over)));
