/**
 * A gateway that speaks TLS behind a relay that takes it off again: whatever a caller without TLS does to its connection, byte
 * for byte and end for end, happens to the gateway over TLS.
 */
import { type AddressInfo, createServer } from 'node:net';
import { connect, type ConnectionOptions } from 'node:tls';
import { Authority } from './certificates.ts';
import { type GatewayOptions, startGateway, type TestGateway } from './gateway.ts';

export interface Relay {
  readonly port: number;
  stop(): Promise<void>;
}

const name = 'gateway.test';

/** As `startGateway`, on a configuration that has its listener on one line. The relay's `stop` does not end the gateway. */
export async function startSecureGateway(
  configText: string,
  options: GatewayOptions,
): Promise<{ gateway: TestGateway; door: Relay }> {
  const authority = new Authority();
  const { cert, key } = authority.issue({ names: [name] });
  authority.remove();
  const tls = 'listener: { tls: { certificates: [{ cert_file: tls.crt, key_file: tls.key }] },';
  const gateway = await startGateway(configText.replace('listener: {', tls), {
    ...options,
    files: { ...options.files, 'tls.crt': cert, 'tls.key': key },
  });
  return { gateway, door: await startRelay(Number(new URL(gateway.url).port), authority.cert) };
}

async function startRelay(port: number, ca: string): Promise<Relay> {
  // Node's types do not know that a half of a TLS connection can be ended.
  const target: ConnectionOptions & { allowHalfOpen: boolean } = {
    port,
    host: '127.0.0.1',
    ca,
    servername: name,
    allowHalfOpen: true,
  };
  const server = createServer({ allowHalfOpen: true }, (plain) => {
    const secure = connect(target);
    plain.setNoDelay(true);
    plain.on('error', () => secure.destroy()).on('close', () => secure.destroy());
    secure.on('error', () => plain.destroy()).on('close', () => plain.destroy());
    plain.pipe(secure).pipe(plain);
  });
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
