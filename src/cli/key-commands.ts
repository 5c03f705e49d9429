import { randomUUID } from 'node:crypto';
import type {
  EncryptionKeyState,
  EncryptionKeyStatus,
  RemovedEncryptionKey,
  RewrapResult,
} from '../contract/encryption-key.contract.js';
import { ENCRYPTION_KEYS_PATH } from '../contract/paths.js';
import { CliError, EXIT } from './cli-error.js';
import type { HubClient } from './hub-client.js';
import { table, type Terminal } from './terminal.js';

const BATCH = 500;
/** Another process that was killed stands in the way for thirty seconds, and one that lags for less. */
const PATIENCE = { patienceMilliseconds: 45_000 };

const rowsText = (rows: Record<string, number>): string => {
  const texts = Object.entries(rows).map(([name, count]) => `${count} in ${name}`);
  return texts.length === 0 ? 'none' : texts.join(', ');
};

const SOURCES = { file: 'a file', environment: 'the environment' } as const;

const counted = (count: number, one: string, several: string): string => `${count} ${count === 1 ? one : several}`;

/** `hub keys status` */
export const keyStatus = async (hub: HubClient, terminal: Terminal): Promise<void> => {
  const status = await hub.json<EncryptionKeyStatus>({ path: ENCRYPTION_KEYS_PATH });
  const rows = status.keys.map(({ id, active, in_ring, rows: sealed, created_at }) => [
    id,
    active ? 'seals' : in_ring ? 'opens' : 'missing',
    rowsText(sealed),
    created_at ?? '',
  ]);
  const lines = [
    table([['key', 'use', 'sealed under it', 'since'], ...rows]),
    '',
    `${counted(status.processes.length, 'storage process', 'storage processes')}; the key ring comes from ${SOURCES[status.source.kind]}${status.source.writable ? '' : ', and cannot be changed from here'}.`,
    ...(status.source.problem === null ? [] : [`Problem: ${status.source.problem}`]),
  ];
  terminal.result(lines.join('\n'), status);
};

/** `hub keys rotate`: a new key, in use everywhere, and everything sealed anew under it. The old one stays. */
export const rotateKeys = async (hub: HubClient, terminal: Terminal): Promise<void> => {
  const added = await hub.json<EncryptionKeyState>({
    method: 'POST',
    path: ENCRYPTION_KEYS_PATH,
    body: {},
    idempotencyKey: randomUUID(),
  });
  terminal.note(`Added ${added.id}.`);
  const activate = hub.json<EncryptionKeyState>({
    method: 'PUT',
    path: `${ENCRYPTION_KEYS_PATH}/active`,
    body: { key_id: added.id },
    ...PATIENCE,
  });
  await terminal.waiting('Activating it in every process', activate);
  terminal.note(`${added.id} seals from now on.`);
  const result = await rewrapAll(hub, terminal);
  terminal.result(
    `Done: ${counted(result.rewrapped, 'row is', 'rows are')} sealed under ${added.id}. See hub keys status for keys that can be removed.`,
    { ...result, id: added.id },
  );
  refuseUnreadable(result);
};

/** `hub keys rewrap` */
export const rewrapKeys = async (
  hub: HubClient,
  terminal: Terminal,
  { dryRun = false }: { dryRun?: boolean },
): Promise<void> => {
  const result = dryRun ? await requestBatch(hub, true) : await rewrapAll(hub, terminal);
  const text = dryRun
    ? `${counted(result.rewrapped + result.remaining, 'row is', 'rows are')} not sealed under ${result.active_key_id}.`
    : `Done: ${counted(result.rewrapped, 'row was', 'rows were')} sealed anew under ${result.active_key_id}.`;
  terminal.result(text, result);
  refuseUnreadable(result);
};

/** `hub keys remove` */
export const removeKey = async (hub: HubClient, terminal: Terminal, id: string): Promise<void> => {
  const path = `${ENCRYPTION_KEYS_PATH}/${encodeURIComponent(id)}`;
  const request = hub.json<RemovedEncryptionKey>({ method: 'DELETE', path, ...PATIENCE });
  const removed = await terminal.waiting('Waiting until no process seals under it', request);
  terminal.result(`Removed ${removed.id}. ${removed.notice}`, removed);
};

const requestBatch = (hub: HubClient, isDryRun: boolean): Promise<RewrapResult> =>
  hub.json<RewrapResult>({
    method: 'POST',
    path: `${ENCRYPTION_KEYS_PATH}/rewrap`,
    body: { limit: BATCH, dry_run: isDryRun },
    ...PATIENCE,
  });

/** Batch by batch until nothing is left; may be stopped and begun again at any time. */
const rewrapAll = async (hub: HubClient, terminal: Terminal): Promise<RewrapResult> => {
  let rewrapped = 0;
  for (;;) {
    const batch = await requestBatch(hub, false);
    rewrapped += batch.rewrapped;
    terminal.progress(`${rewrapped} of ${rewrapped + batch.remaining} rows`);
    if (batch.remaining > 0 && batch.rewrapped > 0) continue;
    terminal.progress('');
    return { ...batch, rewrapped };
  }
};

const refuseUnreadable = ({ unreadable_total: total, unreadable }: RewrapResult): void => {
  if (total === 0) return;
  throw new CliError(
    EXIT.refused,
    `${counted(total, 'row does not open with any key and was left as it is', 'rows do not open with any key and were left as they are')}: ${unreadable.join(', ')}.`,
  );
};
