import { PRODUCT } from './app/product.js';
import { runCli } from './cli/run-cli.js';

await runCli({
  version: PRODUCT.version,
  migrate: async () => {
    await import('reflect-metadata');
    await (await import('./app/run-migrations.js')).runMigrations();
  },
});
