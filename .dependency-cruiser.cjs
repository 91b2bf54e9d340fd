// Who may import whom. A rule here is a sentence of ARCHITECTURE.md that a machine can hold; test/house/imports.test.ts
// plants a violation of each and sees it found.
const ours = '^(gateway|workers|sim|bench|test|examples|grafana)/';

const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: ours, pathNot: allowed },
});

const door = (vendor, folder) => ({
  name: `one-door-${vendor}`,
  severity: 'error',
  comment: `${vendor} is imported by ${folder} alone`,
  from: { pathNot: [`^${folder}`, '^(test|bench|examples|grafana)/'] },
  to: { path: `^node_modules/${vendor.replaceAll('.', '\\.')}/` },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'product-runs-on-dependencies',
      severity: 'error',
      comment:
        'what is published imports neither a development dependency nor one that package.json does not name; optional peers are both',
      from: { path: '^(gateway|workers)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    },
    only('core-imports-nothing', '^gateway/core/', '^gateway/core/'),
    // Of core just what stays beside the bundle with them (.bundle.mjs): anything else would be there twice.
    only('flight-imports-assert', '^gateway/flight/', '^gateway/(core/assert\\.ts$|flight/)'),
    only('route-imports-core', '^gateway/route/', '^gateway/(core|route)/'),
    only('decision-imports-route', '^gateway/decision/', '^gateway/(core|decision|route)/'),
    only('openapi-imports-core-and-route', '^gateway/openapi/', '^gateway/(core|route|openapi)/'),
    only('native-imports-nothing', '^gateway/native/', '^gateway/native/'),
    only(
      'protocol-imports-assert-and-flight',
      '^gateway/oauth/protocol/',
      '^gateway/(core/assert\\.ts$|flight/|oauth/protocol/)',
    ),
    // What a model runs must be reachable by nothing but its door: the protocols of credentials are, and nothing else of
    // oauth/ is.
    only('sim-imports-core-flight-protocol', '^sim/', '^(sim/|gateway/(core|flight|oauth/protocol)/)'),
    {
      name: 'product-never-imports-tools',
      severity: 'error',
      from: { path: '^(gateway|workers)/', pathNot: '^gateway/cli/' },
      to: { path: '^(sim|bench|examples|grafana)/' },
    },
    { name: 'nothing-imports-tests', severity: 'error', from: { pathNot: '^test/' }, to: { path: '^test/' } },
    door('@opentelemetry/api', 'gateway/tracing/'),
    door('@opentelemetry/exporter-trace-otlp-http', 'gateway/tracing/'),
    door('@opentelemetry/resources', 'gateway/tracing/'),
    door('@opentelemetry/sdk-trace-base', 'gateway/tracing/'),
    door('@redis/client', 'gateway/oauth/redis/'),
    door('cli-table3', 'gateway/cli/'),
    door('commander', 'gateway/cli/'),
    door('fastest-levenshtein', 'gateway/config/'),
    door('jose', 'gateway/token/'),
    door('oauth4webapi', 'gateway/oauth/'),
    door('picocolors', 'gateway/cli/'),
    door('pino', 'gateway/log/'),
    door('piscina', 'gateway/token/'),
    door('prom-client', 'gateway/metrics/'),
    door('uqr', 'gateway/oauth/page/'),
    door('uWebSockets.js', 'gateway/native/'),
    door('undici', 'gateway/upstream/'),
    door('ws', 'gateway/upstream/'),
    door('yaml', 'gateway/config/'),
    door('zod', 'gateway/config/'),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    preserveSymlinks: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
