import { Injectable } from '@nestjs/common';
import { Any, type EntityManager } from 'typeorm';
import type { MissingSecret } from '../../contract/declarative.contract.js';
import { ModelConfigCreate, ModelConfigUpdate } from '../../contract/model-config.contract.js';
import type { Provider } from '../../contract/providers.js';
import { validateAs } from '../../platform/http/validation.js';
import { inTurns } from '../../platform/limits/in-turns.js';
import { allowedOriginOf, isSameDestination } from '../../platform/secrets/destination.js';
import type { Transaction } from '../database/transaction.js';
import type { Destination } from '../model-config/config-credentials.js';
import { ModelConfigEntity } from '../model-config/model-config.entity.js';
import { ModelConfigWriter } from '../model-config/model-config.writer.js';
import { type Entry, inOrder, nameOf } from './document.js';
import type { ImportWork } from './import-work.js';
import { isSecretField, REFERABLE_FIELDS, type ReferableField } from './secret-resolver.js';

/** A model of the document, its references replaced, beside the config that has its alias. */
export interface ReadyModel {
  path: string;
  alias: string;
  id: string | null;
  body: ModelConfigUpdate;
  notes: string[];
}

const isStored = (row: ModelConfigEntity, field: ReferableField): boolean => {
  if (field === 'api_key') return row.hasApiKey;
  if (field === 'auth_headers') return row.authHeaderNames.length > 0;
  return (field === 'api_base' ? row.apiBase : row.apiVersion) !== null;
};

/** Creates and changes configs as a document says, each through the rules of a single change. */
@Injectable()
export class ModelImport {
  constructor(private readonly writer: ModelConfigWriter) {}

  /** Checks all of them; writes and locks nothing. */
  async prepare({ manager }: Transaction, entries: Entry[], work: ImportWork): Promise<ReadyModel[]> {
    const rows = await findConfigs(manager, entries);
    const seen = new Map<string, string>();
    const ready: ReadyModel[] = [];
    for await (const entry of inTurns(entries)) {
      const alias = nameOf(entry, 'alias');
      const first = seen.get(alias);
      if (first !== undefined) {
        work.problems.add('validation_failed', `${entry.path}.alias`, `alias is the same as in ${first}`);
        continue;
      }
      seen.set(alias, entry.path);
      const row = rows.get(alias) ?? null;
      const { fields, notes } = resolve(entry, row, work);
      const contract = row ? ModelConfigUpdate : ModelConfigCreate;
      const body = await work.problems.collect(entry.path, () => validateAs(contract, fields));
      if (body) ready.push({ path: entry.path, alias, id: row?.id ?? null, body, notes });
    }
    // In one order, whatever that of the document.
    return ready.sort((one, other) => inOrder(one.alias, other.alias));
  }

  async write(transaction: Transaction, models: ReadyModel[], { plan, problems }: ImportWork): Promise<void> {
    for (const { path, alias, id, body, notes } of models) {
      await problems.collect(path, async () => {
        const before = transaction.records.length;
        if (id === null) await this.writer.create(transaction, body as ModelConfigCreate);
        else await this.writer.update(transaction, id, body);
        const record = transaction.records[before];
        plan.add({ kind: 'model', name: alias, notes }, record?.before ?? null, record?.after ?? null);
      });
    }
  }

  /** Deletes the models that the document does not name. */
  async prune(transaction: Transaction, entries: Entry[], { plan }: ImportWork): Promise<void> {
    const named = new Set(entries.map((entry) => nameOf(entry, 'alias')));
    const rows = await transaction.manager.find(ModelConfigEntity, { select: { id: true, alias: true } });
    for (const { id, alias } of rows.sort((one, other) => inOrder(one.alias, other.alias))) {
      if (named.has(alias)) continue;
      await this.writer.remove(transaction, id);
      plan.add({ kind: 'model', name: alias, notes: [] }, transaction.records.at(-1)?.before ?? null, null);
    }
  }
}

/** The configs that are meant, by alias. */
const findConfigs = async (manager: EntityManager, entries: Entry[]): Promise<Map<string, ModelConfigEntity>> => {
  const aliases = entries.map((entry) => nameOf(entry, 'alias'));
  const rows = await manager.findBy(ModelConfigEntity, { alias: Any(aliases) });
  return new Map(rows.map((row) => [row.alias, row]));
};

/** The fields with values in place of references; what cannot be had is noted as missing, or is a problem. */
const resolve = (
  entry: Entry,
  row: ModelConfigEntity | null,
  work: ImportWork,
): { fields: Record<string, unknown>; notes: string[] } => {
  const fields = { ...entry.fields };
  const notes: string[] = [];
  // Addresses first: what a secret is sealed for depends on them.
  for (const field of REFERABLE_FIELDS) {
    if (fields[field] === undefined) continue;
    const destination = destinationAfter(fields, row);
    const resolved = work.resolver.resolve(entry, field, allowedOriginOf(destination));
    delete fields[field];
    if ('value' in resolved) fields[field] = resolved.value;
    else if ('problem' in resolved) work.problems.add(resolved.code, `${entry.path}.${field}`, resolved.problem);
    else goWithout({ entry, row, field, destination, fields, notes }, resolved.missing, work);
  }
  return { fields, notes };
};

interface Unresolved {
  entry: Entry;
  row: ModelConfigEntity | null;
  field: ReferableField;
  destination: Destination;
  fields: Record<string, unknown>;
  notes: string[];
}

/** Keeps what is stored, where it may stay; else goes on without, or refuses, as was asked for. */
const goWithout = (
  { entry, row, field, destination, fields, notes }: Unresolved,
  { variable }: Pick<MissingSecret, 'variable'>,
  { plan, problems, skipMissing }: ImportWork,
): void => {
  const what = variable ?? 'the passphrase';
  const stored = row && isStored(row, field) ? row : null;
  if (stored && (!isSecretField(field) || isSameDestination(stored, destination))) {
    notes.push(`${field} is kept as it is stored: ${what} was not sent`);
  } else if (!skipMissing) {
    const message = `${field} needs ${what}, which was not sent`;
    problems.add('secret_reference_unresolved', `${entry.path}.${field}`, message);
  } else {
    // A stored secret never follows to another address: there it is cleared.
    if (stored) fields[field] = null;
    notes.push(`${field} is missing: ${what} was not sent`);
    plan.addMissing({ name: nameOf(entry, 'alias'), field, variable });
  }
};

/** Where the model's secrets go once it is as the document says. */
const destinationAfter = (fields: Record<string, unknown>, row: ModelConfigEntity | null): Destination => {
  const provider = (fields['provider'] ?? row?.provider) as Provider;
  const apiBase = fields['api_base'] === undefined ? (row?.apiBase ?? null) : fields['api_base'];
  return { id: row?.id ?? '', provider, apiBase: typeof apiBase === 'string' ? apiBase : null };
};
