#!/usr/bin/env node
// `npx hub`: the command line. In a checkout it builds what is not built; an installed package comes built.
import { existsSync } from 'node:fs';

const isCheckout = existsSync(new URL('../src', import.meta.url));
if (isCheckout) await import('./build-if-needed.js');
await import('../dist/src/hub.js');
