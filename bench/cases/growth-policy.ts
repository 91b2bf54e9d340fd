/**
 * Growth of the configuration: routes, and scopes. The request asks for the same route and scope each time. wrk asks, because
 * autocannon would be the limit itself, and a limit of the load hides what a server loses.
 */
import type { BenchCase, Contender } from '../case.ts';
import { decideFigures } from '../load/decide.ts';
import { runWrk } from '../load/wrk.ts';
import { debian } from '../peers/debian.ts';
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
        needs: [debian.wrk],
        measure: () =>
          withServer(bench.gateway({ corpus, core: serverCore, ...optionsOf(size - 1) }), (server) =>
            runWrk(server, corpus, { seconds: bench.seconds, core: loadCore }),
          ),
      }));
    },
    ratios: ({ median }) => {
      const [least, ...others] = sizes;
      const grown = (size: number, figure: string): number =>
        median(contender(size), figure) / median(contender(least!), figure);
      return others.flatMap((size) => [
        {
          name: `decisions per second with ${contender(size)}, of ${contender(least!)}`,
          value: grown(size, 'perSecond'),
          target: size === others.at(-1) ? { atLeast: 0.95 } : null,
        },
        {
          name: `CPU per decision with ${contender(size)}, of ${contender(least!)}`,
          value: grown(size, 'cpuSecondsPer1000'),
          target: null,
        },
      ]);
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
