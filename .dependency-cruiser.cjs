// Who may import whom. A rule here is a sentence of ARCHITECTURE.md that a machine can hold.
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(gateway|workers|sim|bench|test|examples|grafana)/', pathNot: allowed },
});
const door = (vendor, folder, tests = '^(test|bench|examples)/') => ({
  name: `one-door-${vendor}`,
  severity: 'error',
  comment: `${vendor} is imported by ${folder} alone`,
  from: { pathNot: [`^${folder}`, tests] },
  to: { path: `node_modules/${vendor}/` },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    only('core-imports-nothing', '^gateway/core/', '^gateway/core/'),
    only('flight-imports-core', '^gateway/flight/', '^gateway/(core|flight)/'),
    only('route-imports-core', '^gateway/route/', '^gateway/(core|route)/'),
    only('sim-imports-core-and-flight', '^sim/', '^(sim/|gateway/(core|flight)/)'),
    {
      name: 'product-never-imports-tools',
      severity: 'error',
      from: { path: '^(gateway|workers)/', pathNot: '^gateway/cli/' },
      to: { path: '^(sim|bench|test)/' },
    },
    { name: 'nothing-imports-tests', severity: 'error', from: { pathNot: '^test/' }, to: { path: '^test/' } },
    door('jose', 'gateway/token/'),
    door('undici', 'gateway/upstream/'),
    door('prom-client', 'gateway/metrics/'),
    door('uWebSockets\\.js', 'gateway/native/'),
    door('piscina', 'gateway/token/'),
    door('yaml', 'gateway/config/'),
    door('zod', 'gateway/config/'),
    door('pino', 'gateway/log/'),
    door('commander', 'gateway/cli/'),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
