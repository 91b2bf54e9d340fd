/**
 * A process that writes one record over and over, under fences of its own: first, first + step, ... Prints each fence whose
 * write was acknowledged, as a line. Arguments: directory, first fence, step, count.
 */
import { StoreFault } from '../../../gateway/oauth/credential.ts';
import { ann, openStore, tokens } from './stores.ts';

const [directory, first, step, count] = process.argv.slice(2);
const store = await openStore(directory!);
for (let index = 0; index < Number(count); index++) {
  const fence = BigInt(Number(first) + index * Number(step));
  try {
    await store.write(tokens(ann, String(fence)), fence, 'replace');
    process.stdout.write(`${fence}\n`);
  } catch (error) {
    if (!(error instanceof StoreFault) || error.code !== 'superseded') throw error;
  }
}
