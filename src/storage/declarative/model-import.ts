import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ModelConfigCreate, ModelConfigUpdate } from '../../contract/model-config.contract.js';
import type { Provider } from '../../contract/providers.js';
import { validateAs } from '../../platform/http/validation.js';
import type { Transaction } from '../database/transaction.js';
import { allowedOriginOf } from '../model-config/config-credentials.js';
import { ModelConfigEntity } from '../model-config/model-config.entity.js';
import { ModelConfigWriter } from '../model-config/model-config.writer.js';
import { type Entry, inOrder } from './document.js';
import type { ImportWork } from './import-work.js';
import { isSecretField, REFERABLE_FIELDS, type ReferableField } from './secret-resolver.js';

/** A model of the document, its references replaced, beside the config that has its alias. */
interface Ready {
  entry: Entry;
  row: ModelConfigEntity | null;
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

  async apply(transaction: Transaction, entries: Entry[], work: ImportWork): Promise<void> {
    const rows = await this.lock(transaction.manager, entries, work.prune);
    const ready = await this.prepare(entries, rows, work);
    work.problems.throwIfAny();
    // In one order, so that two imports never wait for each other crosswise.
    for (const model of ready.sort((one, other) => inOrder(aliasOf(one.entry), aliasOf(other.entry)))) {
      await work.problems.collect(model.entry.path, () => this.write(transaction, model, work));
    }
    work.problems.throwIfAny();
  }

  /** Deletes the models that the document does not name. */
  async prune(transaction: Transaction, entries: Entry[], work: ImportWork): Promise<void> {
    const named = new Set(entries.map(aliasOf));
    const rows = await transaction.manager.find(ModelConfigEntity, { select: { id: true, alias: true } });
    for (const { id, alias } of rows.sort((one, other) => inOrder(one.alias, other.alias))) {
      if (named.has(alias)) continue;
      await work.plan.note(transaction, { kind: 'model', name: alias, notes: [] }, () =>
        this.writer.remove(transaction, id),
      );
    }
  }

  /** The configs that are meant, by alias; locked in the order in which usage is counted. */
  private async lock(
    manager: EntityManager,
    entries: Entry[],
    isWhole: boolean,
  ): Promise<Map<string, ModelConfigEntity>> {
    const builder = manager.createQueryBuilder(ModelConfigEntity, 'config');
    if (!isWhole) builder.where('config.alias = ANY(:aliases)', { aliases: entries.map(aliasOf) });
    const rows = await builder.orderBy('config.id').setLock('pessimistic_write').getMany();
    return new Map(rows.map((row) => [row.alias, row]));
  }

  private async prepare(entries: Entry[], rows: Map<string, ModelConfigEntity>, work: ImportWork): Promise<Ready[]> {
    const seen = new Map<string, string>();
    const ready: Ready[] = [];
    for (const entry of entries) {
      const alias = aliasOf(entry);
      const first = seen.get(alias);
      if (first !== undefined) {
        work.problems.add('validation_failed', `${entry.path}.alias`, `alias is the same as in ${first}`);
        continue;
      }
      seen.set(alias, entry.path);
      const row = rows.get(alias) ?? null;
      const { fields, notes } = this.resolve(entry, row, work);
      const contract = row ? ModelConfigUpdate : ModelConfigCreate;
      const body = await work.problems.collect(entry.path, () => validateAs(contract, fields));
      if (body) ready.push({ entry, row, body, notes });
    }
    return ready;
  }

  /** The fields with values in place of references; what cannot be had is noted as missing, or is a problem. */
  private resolve(
    entry: Entry,
    row: ModelConfigEntity | null,
    work: ImportWork,
  ): { fields: Record<string, unknown>; notes: string[] } {
    const fields = { ...entry.fields };
    const notes: string[] = [];
    // Addresses first: what a secret is sealed for depends on them.
    for (const field of REFERABLE_FIELDS.toReversed()) {
      if (fields[field] === undefined) continue;
      const origin = originAfter(fields, row);
      const resolved = work.resolver.resolve(entry, field, origin);
      if ('value' in resolved) fields[field] = resolved.value;
      else if ('problem' in resolved) work.problems.add(resolved.code, `${entry.path}.${field}`, resolved.problem);
      else {
        const isKept =
          row !== null && isStored(row, field) && (!isSecretField(field) || origin === allowedOriginOf(row));
        const what = resolved.missing.variable ?? 'the passphrase';
        if (isKept) notes.push(`${field} is kept as it is stored: ${what} was not sent`);
        else if (work.skipMissing) {
          notes.push(`${field} is missing: ${what} was not sent`);
          work.plan.addMissing({ name: aliasOf(entry), field, variable: resolved.missing.variable });
        } else {
          const message = `${field} needs ${what}, which was not sent`;
          work.problems.add('secret_reference_unresolved', `${entry.path}.${field}`, message);
        }
        // A stored secret never follows to another address: there it is cleared.
        if (!isKept && row !== null && isSecretField(field) && isStored(row, field)) fields[field] = null;
        else delete fields[field];
      }
    }
    return { fields, notes };
  }

  private async write(
    transaction: Transaction,
    { row, body, notes, entry }: Ready,
    { plan }: ImportWork,
  ): Promise<void> {
    await plan.note(transaction, { kind: 'model', name: aliasOf(entry), notes }, () =>
      row ? this.writer.update(transaction, row.id, body) : this.writer.create(transaction, body as ModelConfigCreate),
    );
  }
}

const aliasOf = (entry: Entry): string => {
  const alias = entry.fields['alias'];
  return typeof alias === 'string' ? alias : '';
};

/** Where the model's secrets may go once it is as the document says. */
const originAfter = (fields: Record<string, unknown>, row: ModelConfigEntity | null): string => {
  const provider = (fields['provider'] ?? row?.provider) as Provider;
  const apiBase = fields['api_base'] === undefined ? (row?.apiBase ?? null) : fields['api_base'];
  return allowedOriginOf({ id: '', provider, apiBase: typeof apiBase === 'string' ? apiBase : null });
};
