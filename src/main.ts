import { StopSignal } from './app/stop-signal.js';

// Before the rest is loaded: a process that is still starting can be asked to stop, too.
const stop = StopSignal.listen();
await import('reflect-metadata');
const { runHub } = await import('./app/run-hub.js');
await runHub(stop);
