// The built application with a look inside, for benchmarks: says over IPC how long its event loop stood still at most since
// it was last asked, and what it holds in memory after a garbage collection. Started with --expose-gc.
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** A timer is due so often; what comes later than that is the pause. */
const RESOLUTION_MILLISECONDS = 1;
const MEGABYTE = 1024 * 1024;

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MILLISECONDS });
delay.enable();

const ANSWERS = {
  pause: () => {
    const pause = delay.max / 1e6 - RESOLUTION_MILLISECONDS;
    delay.reset();
    return pause;
  },
  memory: () => {
    globalThis.gc();
    const { heapUsed, rss } = process.memoryUsage();
    return { heap: heapUsed / MEGABYTE, resident: rss / MEGABYTE };
  },
};

process.on('message', (question) => process.send(ANSWERS[question]()));
// The application ends by its signal, and this must not keep it.
process.channel.unref();

await import('../../dist/src/main.js');
