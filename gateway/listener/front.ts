/**
 * What accepts connections on a listener thread: one App, or with TLS one App for each generation of certificates.
 *
 * The driver reads certificates when an App is made and never again. So with TLS the listening socket belongs to an App that
 * serves nothing and hands each connection to the App of the newest certificates; renewed ones make another App behind the
 * same socket. No connection is lost by that, not even one in the queue of the socket, and those that are open keep
 * the App they came to until they end. (Names could be removed from an App and added again, but the driver then frees what
 * open connections of that name still use.)
 */
import { assert } from '../core/assert.ts';
import type { Driver, HttpApp, HttpResponse, ListenSocket, SecureApp } from '../native/uws.ts';
import type { TlsMaterial } from '../tls/certificate.ts';
import { type PemFiles, withPemFiles } from '../tls/pem-files.ts';

export interface FrontHandlers {
  /** Registers what is served. Called for every App, and for every server name of one. */
  readonly serve: (app: HttpApp) => void;
  /** A connection came (1) or went (-1). */
  readonly connection: (response: HttpResponse, delta: 1 | -1) => void;
}

/** RFC 9325 section 4.2: forward secrecy and AEAD. Those of TLS 1.3 are all of that kind and not for choosing. */
const cipherSuites = [
  'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305',
].join(':'); // prettier-ignore

/**
 * The driver knows no smallest version but TLS 1.2. A suite that needs a shared key, of which there is none, leaves nothing
 * to agree on in 1.2.
 */
const cipherSuitesOf13 = 'ECDHE-PSK-CHACHA20-POLY1305';

/** Apps kept for connections that outlive their certificates. Beyond that the oldest is closed, connections and all. */
const generationsMax = 64;
/** A connection may still be on its way to an App from the turn in which another took its place. */
const handoverMs = 1000;

interface Generation {
  readonly app: SecureApp;
  readonly descriptor: unknown;
  connections: number;
  replaced: boolean;
}

export class Front {
  readonly #driver: Driver;
  readonly #handlers: FrontHandlers;
  /** Owns the listening socket. */
  readonly #app: HttpApp | SecureApp;
  /** The last one takes new connections; empty without TLS. */
  readonly #generations: Generation[] = [];
  #socket: ListenSocket | null = null;

  /** `tls` null speaks plain HTTP. Errors: what the driver says of the certificates. */
  constructor(driver: Driver, tls: TlsMaterial | null, handlers: FrontHandlers) {
    this.#driver = driver;
    this.#handlers = handlers;
    if (tls === null) {
      this.#app = driver.App();
      this.#app.filter((response, count) => handlers.connection(response, Number(count) > 0 ? 1 : -1));
      handlers.serve(this.#app);
      return;
    }
    this.#app = driver.SSLApp({});
    try {
      this.renew(tls);
    } catch (error) {
      this.#app.close();
      throw error;
    }
  }

  /** Throws when the address cannot be bound. */
  listen(host: string, port: number): number {
    let bound = 0;
    this.#app.listen(host, port, (socket) => {
      if (socket === false) return;
      this.#socket = socket;
      bound = this.#driver.us_socket_local_port(socket);
    });
    if (this.#socket === null) throw new Error(`cannot listen on ${host}:${port}`);
    return bound;
  }

  stopAccepting(): void {
    if (this.#socket !== null) this.#driver.us_listen_socket_close(this.#socket);
    this.#socket = null;
  }

  /** New connections get these certificates. Errors: what the driver says of them; the present ones stay then. */
  renew(tls: TlsMaterial): void {
    const front = this.#app as SecureApp;
    const next = this.#open(tls);
    const present = this.#generations.at(-1);
    front.addChildAppDescriptor(next.descriptor);
    if (present !== undefined) front.removeChildAppDescriptor(present.descriptor);
    this.#generations.push(next);
    if (this.#generations.length > generationsMax) this.#generations.shift()!.app.close();
    if (present === undefined) return;
    setTimeout(() => {
      present.replaced = true;
      this.#closeUnused(present);
    }, handoverMs).unref();
  }

  /** Closes everything at once, connections too. */
  close(): void {
    this.#app.close();
    for (const { app } of this.#generations.splice(0)) app.close();
  }

  #open(tls: TlsMaterial): Generation {
    return withPemFiles(tls, ({ certificates: [first, ...others], clientAuthoritiesFile }) => {
      assert(first !== undefined, 'there is a certificate');
      const optionsOf = ({ chainFile, keyFile }: PemFiles) => ({
        cert_file_name: chainFile,
        key_file_name: keyFile,
        // With it the driver asks for a certificate, and refuses the handshake of one that these did not sign, is not valid
        // now, or is for servers. It cannot be told to refuse who shows none: `route/decide.ts` does, for tokens that are bound.
        ...(clientAuthoritiesFile === null ? {} : { ca_file_name: clientAuthoritiesFile }),
        ssl_ciphers: tls.minVersion === '1.3' ? cipherSuitesOf13 : cipherSuites,
      });
      const app = this.#driver.SSLApp(optionsOf(first));
      const generation: Generation = {
        app,
        descriptor: app.getDescriptor(),
        connections: 0,
        replaced: false,
      };
      app.filter((response, count) => {
        const delta = Number(count) > 0 ? 1 : -1;
        generation.connections += delta;
        this.#handlers.connection(response, delta);
        if (generation.replaced && generation.connections === 0)
          setImmediate(() => this.#closeUnused(generation));
      });
      this.#handlers.serve(app);
      // One certificate serves whatever name is asked for. Of several the first one's names count too: another may be for
      // a wildcard that covers them.
      const named = new Set<string>();
      for (const files of others.length === 0 ? [] : [first, ...others]) {
        for (const name of files.names) {
          if (named.has(name)) continue;
          named.add(name);
          app.addServerName(name, optionsOf(files));
          this.#handlers.serve(app.domain(name));
        }
      }
      return generation;
    });
  }

  #closeUnused(generation: Generation): void {
    const index = this.#generations.indexOf(generation);
    if (index === -1 || generation.connections > 0) return;
    this.#generations.splice(index, 1);
    generation.app.close();
  }
}
