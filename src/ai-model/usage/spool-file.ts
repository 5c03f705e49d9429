import { open } from 'node:fs/promises';
import { readUsageBatch } from '../../contract/usage-batch.check.js';
import type { UsageBatch } from '../../contract/usage.contract.js';
import { callsIn } from './usage-records.js';

/** What a file of a batch begins with: to know how many calls it has, nobody needs to read all of it. */
const HEAD = /^\{"calls":(\d{1,15}),/;
const HEAD_BYTES = 32;
const UUID = '[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}';
const NAME = new RegExp(`^\\d{8}T\\d{9}Z-(${UUID})\\.json$`);
const TEMPORARY = new RegExp(`^\\d{8}T\\d{9}Z-${UUID}\\.json\\.${UUID}$`);

/** Sorts by time: `20261125T101530123Z-<batch id>.json`. */
export const nameOf = (batchId: string, at = new Date()): string =>
  `${at.toISOString().replaceAll(/[-:.]/g, '')}-${batchId}.json`;

export const isName = (name: string): boolean => NAME.test(name);
/** Of a file that was not complete when its writer ended. */
export const isTemporary = (name: string): boolean => TEMPORARY.test(name);

export const toText = (batch: UsageBatch): string => JSON.stringify({ calls: callsIn(batch.records), ...batch });

/** The batch in the text of a file of this name, or what is wrong with it. */
export const parseBatch = (name: string, text: string): UsageBatch | { problem: string } => {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { problem: 'it is no JSON' };
  }
  const batch = readUsageBatch(body);
  if ('problem' in batch || batch.batch_id === NAME.exec(name)?.[1]) return batch;
  return { problem: 'its batch_id is not that of its name' };
};

/** How many calls the file says that it has; 0 when it does not say. */
export const callsOf = async (path: string): Promise<number> => {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return Number(HEAD.exec(buffer.toString('latin1', 0, bytesRead))?.[1] ?? 0);
  } finally {
    await file.close();
  }
};
