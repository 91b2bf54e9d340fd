/** A bare uWebSockets.js server: the limit of what a gateway on it can reach, and the service behind those that forward. */
import { fileURLToPath } from 'node:url';
import { type Server, startServer } from './server.ts';

const script = fileURLToPath(new URL('./bare.js', import.meta.url));

export function startBare(status: number, bodyBytes: number, core: number | null): Promise<Server> {
  return startServer(script, [String(status), String(bodyBytes)], { core });
}
