/** Growth of the configuration: routes, and scopes. The request asks for the same route and scope each time. */
import type { BenchCase, Contender } from '../case.ts';
import { decideFigures, runRepeated } from '../load/decide.ts';
import type { GatewayOptions } from '../servers/gateway.ts';
import { withServer } from '../servers/server.ts';

const serverCore = 0;
const loadCore = 1;

type Growth = Pick<GatewayOptions, 'otherRoutes' | 'otherScopes'>;

function growth(
  name: string,
  question: string,
  unit: string,
  sizes: readonly number[],
  optionsOf: (size: number) => Growth,
): BenchCase {
  const contender = (size: number): string => `${size.toLocaleString('en')} ${unit}`;
  return {
    name,
    question,
    figures: decideFigures,
    sizes,
    async contenders(bench) {
      const corpus = await bench.corpus(100);
      return sizes.map((size): Contender => ({
        name: contender(size),
        measure: () =>
          withServer(bench.gateway({ corpus, core: serverCore, ...optionsOf(size - 1) }), (server) =>
            runRepeated(server, corpus, { seconds: bench.seconds, core: loadCore }),
          ),
      }));
    },
    ratios: ({ median }) => {
      const [least, most] = [contender(sizes[0]!), contender(sizes.at(-1)!)];
      return [
        {
          name: `decisions per second with ${most}, of ${least}`,
          value: median(most, 'perSecond') / median(least, 'perSecond'),
          target: { atLeast: 0.95 },
        },
        {
          name: `CPU per decision with ${most}, of ${least}`,
          value: median(most, 'cpuSecondsPer1000') / median(least, 'cpuSecondsPer1000'),
          target: null,
        },
      ];
    },
  };
}

export const growthRoutes = growth(
  'growth-routes',
  'Does a decision cost more as routes are added?',
  'routes',
  [10, 1000, 10_000],
  (otherRoutes) => ({ otherRoutes, otherScopes: 3 }),
);

export const growthScopes = growth(
  'growth-scopes',
  'Does a decision cost more as scopes are added?',
  'scopes',
  [4, 32, 1000],
  (otherScopes) => ({ otherRoutes: 1000, otherScopes }),
);
