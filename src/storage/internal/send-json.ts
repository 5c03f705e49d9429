import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { FastifyReply } from 'fastify';

const compress = promisify(gzip);
/** Below, packing costs more than it saves. */
const WORTH_PACKING_BYTES = 64 * 1024;

/** Sends JSON, packed where it is long and the other side takes it. */
export const sendJson = async (
  reply: FastifyReply,
  text: string,
  acceptEncoding: string | undefined,
): Promise<void> => {
  reply.header('content-type', 'application/json; charset=utf-8').header('vary', 'accept-encoding');
  if (text.length < WORTH_PACKING_BYTES || !/\bgzip\b/.test(acceptEncoding ?? '')) return void reply.send(text);
  const packed = await compress(text, { level: constants.Z_BEST_SPEED });
  void reply.header('content-encoding', 'gzip').send(packed);
};
