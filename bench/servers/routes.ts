/** Routes for benches of metrics: only what labels and zeros look at. */
import type { Route } from '../../gateway/route/policy.ts';

type Labelled = Pick<Route, 'id' | 'methods' | 'respond' | 'access'>;

const one: Omit<Labelled, 'id'> = { methods: ['GET'], respond: null, access: null };

export function routesNamed(count: number): Route[] {
  return Array.from(
    { length: count },
    (_, index) => ({ ...one, id: `GET /service-${String(index)}/{id}` }) as Route,
  );
}
