// The stories that break things: several processes, minutes each, one story at a time. `npm run chaos:ci`, and with
// longer runs and more rounds `npm run chaos`. Those that `npm test` plays in a few rounds are played here in full.
import everyday, { longStories } from './jest.config.js';

const [, e2e] = everyday.projects;

export default {
  ...everyday,
  maxWorkers: 1,
  testTimeout: 3_600_000,
  projects: [
    {
      ...e2e,
      displayName: 'chaos',
      // Of some suites `npm test` plays a part.
      testRegex: ['\\.chaos-spec\\.ts$', longStories('console', 'fuzz')],
      testPathIgnorePatterns: ['/node_modules/'],
    },
  ],
};
