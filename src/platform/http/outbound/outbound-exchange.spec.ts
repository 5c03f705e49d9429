import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from '@jest/globals';
import type { Dispatcher } from 'undici';
import { asWhole, OutboundExchange, type WholeResponse } from './outbound-exchange.js';

type Exchange = OutboundExchange<WholeResponse>;
type Controller = Dispatcher.DispatchController;

const collectGarbage = (): void => {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
};

const aSignal = (): ConstructorParameters<typeof OutboundExchange>[1] => ({
  aborted: false,
  reason: undefined,
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
});
const aController = (): Controller => ({ abort: () => undefined, pause: () => undefined }) as unknown as Controller;

/** What is left of the call when undici alone holds the exchange. */
const run = async (
  end: (exchange: Exchange, controller: Controller) => void,
): Promise<[Exchange, WeakRef<object>[]]> => {
  const parts = { signal: aSignal(), controller: aController(), headers: {}, chunk: Buffer.alloc(100) };
  const exchange = new OutboundExchange(asWhole(1000), parts.signal, undefined);
  const settled = exchange.response.then(
    ({ body }) => body.length,
    () => null,
  );
  exchange.onRequestStart(parts.controller);
  exchange.onResponseStart(parts.controller, 200, parts.headers);
  exchange.onResponseData(parts.controller, parts.chunk);
  end(exchange, parts.controller);
  await settled;
  return [exchange, [parts.signal, parts.controller].map((part) => new WeakRef(part as object))];
};

it.each<[string, (exchange: Exchange, controller: Controller) => void]>([
  ['ended well', (exchange) => exchange.onResponseEnd()],
  ['failed', (exchange, controller) => exchange.onResponseError(controller, new Error('reset'))],
])('an exchange that %s holds nothing of its call', async (_name, end) => {
  const [exchange, parts] = await run(end);
  // A WeakRef keeps its target until the job that made it is over.
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  expect(parts.map((part) => part.deref())).toEqual([undefined, undefined]);
  // Undici may still say something, and nobody minds.
  exchange.onResponseData(aController(), Buffer.alloc(1));
  exchange.onResponseEnd();
});
