// Runs the stories of test/chaos: `npm run chaos:ci`, or `npm run chaos` for more rounds and longer runs. What follows is
// handed to Jest, such as the name of one story: `npm run chaos:ci -- postgres`
import { spawnSync } from 'node:child_process';

const [first, ...others] = process.argv.slice(2);
const isLong = first === '--long';
const { status } = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    '--config',
    'jest.chaos.config.js',
    ...(isLong || first === undefined ? others : [first, ...others]),
  ],
  { stdio: 'inherit', env: { ...process.env, CHAOS: isLong ? 'long' : 'short' } },
);
process.exit(status ?? 1);
