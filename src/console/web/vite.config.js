// The console's build; `scripts/build-if-needed.js` runs it after that of the application.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/console/',
  logLevel: 'warn',
  build: {
    outDir: fileURLToPath(new URL('../../../dist/console-web', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    // Inline data would need a looser policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      // A mark for servers that render: there is none here.
      onwarn: (warning, warn) => void (warning.code === 'MODULE_LEVEL_DIRECTIVE' || warn(warning)),
    },
  },
  // `npm run console`: the page from here, everything else from a hub that runs.
  server: {
    proxy: Object.fromEntries(
      ['/api', '/v1', '/health', '/info', '/console/session'].map((path) => [path, 'http://127.0.0.1:8000']),
    ),
  },
});
