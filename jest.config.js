// One configuration, two projects: `unit` (specs beside the code, no database) and `e2e` (the real
// application on a real PostgreSQL). NestJS 12 is ESM, hence --experimental-vm-modules in `npm test`.
const swc = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true },
    target: 'es2022',
    keepClassNames: true,
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
  swcrc: false,
};

/** Many processes, or a minute of rounds each: `npm run chaos:ci` plays them. */
const LONG_STORIES = [
  'backup',
  'compat',
  'concurrency',
  'durability',
  'embedded-postgres',
  'hub-metrics',
  'key-rotation',
  'keys-at-start',
  'repeated-requests',
  'start-and-stop',
  'statistics-of-a-million',
  'storage-outage',
  'usage-senders',
];
export const longStories = (...others) => `/(?:${[...LONG_STORIES, ...others].join('|')})\\.e2e-spec\\.ts$`;

const shared = {
  testEnvironment: 'node',
  setupFiles: ['reflect-metadata'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
};

export default {
  maxWorkers: 3,
  testTimeout: 60_000,
  forceExit: true,
  reporters: ['default', './test/support/summary-reporter.js'],
  projects: [
    { ...shared, displayName: 'unit', roots: ['<rootDir>/src'], testRegex: '\\.spec\\.ts$' },
    {
      ...shared,
      displayName: 'e2e',
      roots: ['<rootDir>/test'],
      testRegex: '\\.e2e-spec\\.ts$',
      testPathIgnorePatterns: ['/node_modules/', longStories()],
      globalSetup: './test/support/global-setup.js',
      globalTeardown: './test/support/global-teardown.js',
    },
  ],
};
