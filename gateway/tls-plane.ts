/** The main thread's share of TLS: the certificates in force, and what operators hear of them. */
import { isDeepStrictEqual } from 'node:util';
import type { Check } from './admin/health.ts';
import type { TlsConfig } from './config/schema.ts';
import { systemClock } from './core/clock.ts';
import { systemTimers } from './core/timers.ts';
import { readBounded, watchFolder } from './keys/files.ts';
import type { Logger } from './log/logger.ts';
import type { ControlMetrics } from './metrics/control.ts';
import type { TlsMaterial } from './tls/certificate.ts';
import { CertificateFiles } from './tls/files.ts';

export interface TlsPlaneParts {
  readonly logger: Logger;
  readonly metrics: Pick<ControlMetrics, 'certificates' | 'certificatesReloaded'>;
  /** Hands renewed certificates to the listeners. */
  readonly publish: (material: TlsMaterial) => void;
}

export class TlsPlane {
  readonly #parts: TlsPlaneParts;
  #config: TlsConfig | undefined = undefined;
  #files: CertificateFiles | null = null;

  constructor(parts: TlsPlaneParts) {
    this.#parts = parts;
  }

  /** Null: plain HTTP. */
  get material(): TlsMaterial | null {
    return this.#files?.material ?? null;
  }

  /** Errors: `CertificatesRefused`; what is in force stays then. */
  async configure(config: TlsConfig | undefined): Promise<void> {
    if (config === undefined || isDeepStrictEqual(config, this.#config)) return;
    const { logger, metrics, publish } = this.#parts;
    const files = await CertificateFiles.open(config, {
      readFile: readBounded,
      watchFolder,
      clock: systemClock,
      timers: systemTimers,
      changed: (material, renewed) => {
        logger.info({ renewed }, 'certificates renewed');
        metrics.certificatesReloaded('applied');
        this.#inForce(material);
        publish(material);
      },
      refused: (reason) => {
        logger.error({ reason }, 'a renewed certificate cannot be used; the one in force stays');
        metrics.certificatesReloaded('rejected');
      },
    });
    this.#files?.close();
    this.#files = files;
    this.#config = config;
    this.#inForce(files.material);
    publish(files.material);
  }

  /**
   * An expired certificate does not make the gateway unready: where all instances share it, that would turn callers away
   * who do not look at it, and help nobody who does.
   */
  checks(): readonly Check[] {
    const certificates = this.material?.certificates ?? [];
    return certificates.map(({ label, notAfterMs }) => ({
      name: `certificate:${label}`,
      ok: true,
      detail: expiryText(notAfterMs - systemClock.nowMs()),
    }));
  }

  close(): void {
    this.#files?.close();
  }

  #inForce({ certificates }: TlsMaterial): void {
    this.#parts.metrics.certificates(
      certificates.map(({ label, notAfterMs }) => ({ label, notAfterSeconds: notAfterMs / 1000 })),
    );
    const nowMs = systemClock.nowMs();
    for (const { label, notBeforeMs, notAfterMs } of certificates) {
      const certificate = { certificate: label };
      if (notAfterMs <= nowMs) this.#parts.logger.warn(certificate, 'a certificate has expired');
      else if (notBeforeMs > nowMs) this.#parts.logger.warn(certificate, 'a certificate is not valid yet');
    }
  }
}

const dayMs = 86_400_000;

function expiryText(leftMs: number): string {
  const days = Math.floor(Math.abs(leftMs) / dayMs);
  return leftMs > 0 ? `expires in ${days} days` : `expired ${days} days ago`;
}
