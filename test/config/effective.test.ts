import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../gateway/config/load.ts';
import { base, example, good } from './example.ts';

function effectiveOf(text: string, env: Readonly<Record<string, string>> = {}): string {
  const loaded = parseConfig(text, '/etc/sallyport/gw.yaml', env);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.effective();
}

describe('the effective configuration', () => {
  it.each([
    ['of the design', example],
    ['of Airflow', readFileSync('examples/airflow/sallyport.yaml', 'utf8')],
    ['for WebSockets', readFileSync('examples/websocket/sallyport.yaml', 'utf8')],
  ])('%s is a configuration that means the same', (_, text) => {
    expect(good(effectiveOf(text)).config).toEqual(good(text).config);
  });

  it('has the defaults, in the spelling of the file', () => {
    const text = effectiveOf(`version: 1${base}`);
    expect(text).toContain('max_header_bytes: 16384');
    expect(text).toContain('unknown_kid_interval_seconds: 10');
  });

  it('keeps names as they are written that only look like keys', () => {
    const text = effectiveOf(`version: 1
upstreams: { camelCase_name: { urls: ["http://127.0.0.1:3000"] } }
routes: [{ prefix: /, upstream: camelCase_name, public: true }]
`);
    expect(text).toMatch(/^ {2}camelCase_name:$/m);
    expect(text).toContain('upstream: camelCase_name');
  });

  it('shows the reference where a text came out of the environment, and the value of a number', () => {
    const text = effectiveOf(
      `version: 1
listener: { port: "\${env:PORT}", realm: "\${env:REALM:-fallback-realm}" }
upstreams: { app: { urls: ["http://\${env:HOST}:3000"] } }
routes: [{ prefix: /, upstream: app, public: true }]
`,
      { PORT: '8099', HOST: 'planted.example' },
    );
    expect(text).toContain('port: 8099');
    expect(text).toContain('realm: ${env:REALM:-fallback-realm}');
    expect(text).toContain('- http://${env:HOST}:3000');
    expect(text).not.toContain('planted');
  });

  it('shows no constant field, no parameter of a provider and no query of an address', () => {
    const text = effectiveOf(`version: 1
issuers: { main: { issuer: "https://i.example", algorithms: [RS256], keys: { jwks_uri: "https://i.example/jwks?key=planted" } } }
upstreams: { app: { urls: ["http://127.0.0.1:3000"] } }
routes: [{ prefix: /, issuer: main, upstream: app, forward: { set: { x-api-key: planted } } }]
oauth:
  store: { file: ./c, key_env: STORE_KEY }
  providers: { p: { flow: device, issuer: "https://p.example", client_id: cli, parameters: { hint: planted } } }
`);
    expect(text).not.toContain('planted');
    expect(text).toContain('x-api-key: (not shown)');
    expect(text).toContain('hint: (not shown)');
    expect(text).toContain('jwks_uri: https://i.example/jwks?(not shown)');
    expect(text).toContain('key_env: STORE_KEY');
  });

  it('of more than a page can hold is cut, and says so', () => {
    const routes = Array.from(
      { length: 9000 },
      (_, index) => `  - { path: /r${index}, public: true, upstream: app }`,
    );
    const text = effectiveOf(`version: 1
upstreams: { app: { urls: ["http://127.0.0.1:3000"] } }
routes:
${routes.join('\n')}
`);
    expect(text).toContain('path: /r0');
    expect(text).toContain('(the rest is left out)');
    expect(text).not.toContain('path: /r8999');
    expect(text.length).toBeLessThan(1_000_000);
  });
});
