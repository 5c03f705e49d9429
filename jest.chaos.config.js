// The stories that break things: several processes, minutes each, one story at a time. `npm run chaos:ci`, and with
// longer runs and more rounds `npm run chaos`.
import everyday from './jest.config.js';

const [, e2e] = everyday.projects;

export default {
  ...everyday,
  maxWorkers: 1,
  testTimeout: 3_600_000,
  projects: [{ ...e2e, displayName: 'chaos', roots: ['<rootDir>/test/chaos'], testRegex: '\\.chaos-spec\\.ts$' }],
};
