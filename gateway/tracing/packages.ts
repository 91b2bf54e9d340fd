/** The optional packages that sending spans by OTLP needs; nothing of them is loaded unless the configuration asks for it. */
import { createRequire } from 'node:module';

/** With the versions that the tests run with: the newest for Node 20. */
const packages = {
  '@opentelemetry/exporter-trace-otlp-http': '0.223.0',
  '@opentelemetry/resources': '2.12.0',
  '@opentelemetry/sdk-trace-base': '2.12.0',
} as const;

/** What is wrong with what is installed, and how to mend it; null when all is there. */
export function missingPackages(
  resolve: (name: string) => unknown = createRequire(import.meta.url).resolve,
): string | null {
  const missing = Object.keys(packages).filter((name) => {
    try {
      return resolve(name) === undefined;
    } catch {
      return true;
    }
  });
  if (missing.length === 0) return null;
  const all = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  return `sending spans needs packages that are not installed beside Sallyport (${missing.join(', ')}): npm install ${all.join(' ')}`;
}
