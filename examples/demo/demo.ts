/**
 * The demo: two real OpenID providers, one for tokens and one where people log in, a service that echoes, and the gateway.
 * `sallyport start` calls `runDemo` when it is given no configuration.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { freePortNear, host } from './listen.ts';
import { clients, type Client } from './people.ts';
import { tour } from './tour.ts';

/** Starts the gateway on a configuration file. Resolves with its ports when it serves. */
export type StartGateway = (
  configFile: string,
) => Promise<{ readonly port: number; readonly adminPort: number }>;

const ports = { gateway: 8080, admin: 9090, issuer: 8081, upstream: 8082, logins: 8083 };
const startMsMax = 30_000;
// Seen from `dist/examples/demo`, where this runs.
const configFile = fileURLToPath(new URL('../../../examples/demo/sallyport.yaml', import.meta.url));

/**
 * Starts everything and prints lines to try. The provider and the service end with this process, however it ends.
 *
 * Errors: `ERR_MODULE_NOT_FOUND` where oidc-provider, a development dependency, is not installed.
 */
export async function runDemo(startGateway: StartGateway): Promise<void> {
  // Asked here and not by the process that needs it, so that the answer reaches the terminal.
  import.meta.resolve('oidc-provider');
  const [issuerPort, upstreamPort, gatewayPort, adminPort] = await Promise.all([
    startProcess('issuer', ports.issuer),
    startProcess('upstream', ports.upstream),
    freePortNear(ports.gateway),
    freePortNear(ports.admin),
  ]);
  const loginsPort = await startProcess('logins', ports.logins, [
    `http://${host}:${gatewayPort}/login/callback`,
  ]);
  const logins = `http://${host}:${loginsPort}`;
  const issuer = `http://${host}:${issuerPort}`;
  const upstream = `http://${host}:${upstreamPort}`;
  Object.assign(process.env, {
    DEMO_PORT: String(gatewayPort),
    DEMO_ADMIN_PORT: String(adminPort),
    DEMO_ISSUER: issuer,
    DEMO_UPSTREAM: upstream,
    DEMO_LOGINS: logins,
    DEMO_STORE: makeStore(),
    DEMO_STORE_KEY: `sallyport-key.v1.demo.${randomBytes(32).toString('base64url')}`,
  });
  const [alice, bob, carol] = await Promise.all([
    fetchToken(issuer, 'alice'),
    fetchToken(issuer, 'bob'),
    fetchToken(issuer, 'carol'),
  ]);
  const serving = await startGateway(configFile);
  const addresses = {
    gateway: `http://${host}:${serving.port}`,
    admin: `http://${host}:${serving.adminPort}`,
    issuer,
    upstream,
    logins,
  };
  process.stdout.write(tour(addresses, { alice, bob, carol }));
}

/** A folder for the credentials of this run; its key is made for this run too. */
function makeStore(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-demo-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts one of the demo's processes; resolves with the port it listens on. */
async function startProcess(
  name: 'issuer' | 'upstream' | 'logins',
  port: number,
  more: readonly string[] = [],
): Promise<number> {
  const entry = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  const child = fork(entry, [String(port), ...more], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const complaints = text(child.stderr!);
  const started = await new Promise<{ port: number } | null>((resolve) => {
    const deadline = setTimeout(() => resolve(null), startMsMax);
    child.once('message', (message) => {
      clearTimeout(deadline);
      resolve(message as { port: number });
    });
    child.once('exit', () => resolve(null));
  });
  if (started === null) {
    child.kill();
    throw new Error(`the demo's ${name} did not start\n${await complaints}`);
  }
  // Neither the process nor its channel keeps the gateway alive; the channel's end is what ends the process.
  child.unref();
  child.channel?.unref();
  (child.stderr as unknown as { unref(): void }).unref();
  return started.port;
}

/** RFC 6749 section 4.4: a token for everything the client may ask for. */
async function fetchToken(issuer: string, client: Client): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${client}:${client}-secret`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: clients[client].join(' ') }),
    signal: AbortSignal.timeout(startMsMax),
  });
  const answer = (await response.json()) as { access_token?: string };
  if (answer.access_token === undefined) {
    throw new Error(`the demo's issuer gave ${client} no token: ${JSON.stringify(answer)}`);
  }
  return answer.access_token;
}
