// The walls of docs/architecture.md as a gate. `test/boundaries.e2e-spec.ts` proves that each rule bites.
const only = (from, allowed) => ({
  name: `${from} sees only ${allowed.join(', ') || 'itself'}`,
  severity: 'error',
  from: { path: `^${from}/` },
  to: { path: '^(src|typeorm-migrations)/', pathNot: [from, ...allowed].map((room) => `^${room}/`) },
});

module.exports = {
  forbidden: [
    only('src/contract', []),
    only('src/platform', ['src/contract']),
    only('src/storage', ['src/contract', 'src/platform', 'typeorm-migrations']),
    only('src/ai-model', ['src/contract', 'src/platform']),
    only('src/console', ['src/contract', 'src/platform']),
    only('src/cli', ['src/contract', 'src/platform']),
    only('src/app', ['src/contract', 'src/platform', 'src/storage', 'src/ai-model', 'src/console']),
    only('typeorm-migrations', []),
    {
      name: 'the database belongs to storage',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/storage/' },
      to: { path: 'node_modules/(typeorm|@nestjs/typeorm|pg|pg-connection-string)/' },
    },
    {
      name: 'a service is reached by dynamic import from src/app alone',
      comment: 'A static import would load typeorm into a process of role ai-model.',
      severity: 'error',
      from: { path: '^src/app/' },
      to: { path: '^src/(storage|ai-model|console)/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    { name: 'no cycles', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '[.]spec(-data|-support)?[.]ts$' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      extensions: ['.ts', '.js'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
