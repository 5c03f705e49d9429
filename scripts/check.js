// Everything CI runs, in the order of what fails fastest. `npm run check`
import { spawnSync } from 'node:child_process';

const STEPS = [
  'check:format',
  'check:lint',
  'check:boundaries',
  'check:types',
  'check:openapi',
  'check:console',
  'check:drift',
  'test',
];

for (const [index, step] of STEPS.entries()) {
  console.log(`\n[${index + 1}/${STEPS.length}] npm run ${step}`);
  const { status } = spawnSync('npm', ['run', '--silent', step], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    console.error(`\nnpm run ${step} failed.`);
    process.exit(status ?? 1);
  }
}
