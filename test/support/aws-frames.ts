import { crc32 } from 'node:zlib';

const TEXT_TYPE = 7;

const aHeader = ([name, value]: [string, string]): Buffer => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([TEXT_TYPE]), length, bytes]);
};

const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** A message of AWS's binary event stream. */
export const aFrame = (headers: Record<string, string>, payload: object): Buffer => {
  const head = Buffer.concat(Object.entries(headers).map(aHeader));
  const body = Buffer.from(JSON.stringify(payload));
  const lengths = Buffer.concat([word(16 + head.length + body.length), word(head.length)]);
  const unsealed = Buffer.concat([lengths, word(crc32(lengths)), head, body]);
  return Buffer.concat([unsealed, word(crc32(unsealed))]);
};

/** One of Bedrock's events, such as `contentBlockDelta`. */
export const anEvent = (type: string, payload: object): Buffer =>
  aFrame({ ':message-type': 'event', ':event-type': type, ':content-type': 'application/json' }, payload);
