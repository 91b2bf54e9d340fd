import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startGateway, testPreamble } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const documentOf = (...paths: string[]): string =>
  JSON.stringify({
    openapi: '3.1.0',
    paths: Object.fromEntries(paths.map((path) => [path, { get: { security: [] } }])),
  });

const gateway = await startGateway(
  `${testPreamble}routes:\n  - { openapi: api.json, respond: { status: 204 } }\n`,
  { files: { 'api.json': documentOf('/a') } },
);
afterAll(() => gateway.stop());
const document = join(dirname(gateway.configFile), 'api.json');
const statusOf = async (path: string): Promise<number> => (await fetch(`${gateway.url}${path}`)).status;

test('operations are routes, and what is public is told at the start', async () => {
  expect([await statusOf('/a'), await statusOf('/b')]).toEqual([204, 404]);
  expect(gateway.logs.filter(({ level }) => level === 'warn').map(({ msg }) => msg)).toEqual([
    expect.stringContaining('paths["/a"].get.security: the operation is public'),
  ]);
});

test('a document that changes is read again, a broken one is refused, and what follows it is taken', async () => {
  await writeFile(document, documentOf('/a', '/b'));
  await until('the new path', async () => (await statusOf('/b')) === 204);
  await writeFile(document, '{ "openapi": "3.1.0", "paths": { "/c": { "trace": {} } } }');
  await until('the refusal', () => gateway.logs.some(({ msg }) => msg.startsWith('configuration rejected')));
  expect([await statusOf('/b'), await statusOf('/c')]).toEqual([204, 404]);
  await writeFile(document, documentOf('/c'));
  await until('the next path', async () => (await statusOf('/c')) === 204);
  expect(await statusOf('/a')).toBe(404);
});
