/** `npm run dashboards`: writes `grafana/dashboards` anew. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dashboards, fileOf, textOf } from './dashboards.ts';

// Seen from `dist/grafana/src`, where this runs.
const folder = fileURLToPath(new URL('../../../grafana/dashboards/', import.meta.url));
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
for (const dashboard of dashboards) writeFileSync(folder + fileOf(dashboard), textOf(dashboard));
