import { Injectable } from '@nestjs/common';
import { Any, type EntityManager } from 'typeorm';
import { AlertRuleCreate, AlertRuleUpdate } from '../../contract/alert-rule.contract.js';
import { invalidFields } from '../../platform/errors/app-error.js';
import { validateAs } from '../../platform/http/validation.js';
import { AlertRuleEntity } from '../alert/alert-rule.entity.js';
import { AlertRuleWriter, unknownChannels } from '../alert/alert-rule.writer.js';
import type { Transaction } from '../database/transaction.js';
import { type Entry, inOrder, nameOf } from './document.js';
import type { ImportWork } from './import-work.js';

/** A rule of the document, beside the one that has its name. */
export interface ReadyRule {
  path: string;
  name: string;
  id: string | null;
  body: AlertRuleUpdate;
}

/** Creates and changes alert rules as a document says, each through the rules of a single change. */
@Injectable()
export class RuleImport {
  constructor(private readonly writer: AlertRuleWriter) {}

  /** Checks all of them; writes and locks nothing. */
  async prepare({ manager }: Transaction, entries: Entry[], work: ImportWork): Promise<ReadyRule[]> {
    const rows = await findRules(manager, entries);
    const seen = new Map<string, string>();
    const ready: ReadyRule[] = [];
    for (const entry of entries) {
      const { path } = entry;
      const name = nameOf(entry, 'name');
      const first = seen.get(name);
      if (first !== undefined) {
        work.problems.add('validation_failed', `${path}.name`, `name is the same as in ${first}`);
        continue;
      }
      seen.set(name, path);
      const row = rows.get(name) ?? null;
      const body = await work.problems.collect(path, () => bodyOf(entry, row));
      if (body) ready.push({ path, name, id: row?.id ?? null, body });
    }
    // In one order, whatever that of the document.
    return ready.sort((one, other) => inOrder(one.name, other.name));
  }

  async write(transaction: Transaction, rules: ReadyRule[], { plan, problems }: ImportWork): Promise<void> {
    const options = { mayNameUnknownChannels: true };
    for (const { path, name, id, body } of rules) {
      await problems.collect(path, async () => {
        const before = transaction.records.length;
        if (id === null) await this.writer.create(transaction, body as AlertRuleCreate, options);
        else await this.writer.update(transaction, id, body, options);
        const record = transaction.records[before];
        const notes = await notesOf(transaction.manager, body);
        plan.add({ kind: 'alert_rule', name, notes }, record?.before ?? null, record?.after ?? null);
      });
    }
  }

  /** Deletes the rules that the document does not name. */
  async prune(transaction: Transaction, entries: Entry[], { plan }: ImportWork): Promise<void> {
    const named = new Set(entries.map((entry) => nameOf(entry, 'name')));
    const rows = await transaction.manager.find(AlertRuleEntity, { select: { id: true, name: true } });
    for (const { id, name } of rows.sort((one, other) => inOrder(one.name, other.name))) {
      if (named.has(name)) continue;
      await this.writer.remove(transaction, id);
      plan.add({ kind: 'alert_rule', name, notes: [] }, transaction.records.at(-1)?.before ?? null, null);
    }
  }
}

/** The rules that are meant, by name. */
const findRules = async (manager: EntityManager, entries: Entry[]): Promise<Map<string, AlertRuleEntity>> => {
  const names = entries.map((entry) => nameOf(entry, 'name'));
  const rows = await manager.findBy(AlertRuleEntity, { name: Any(names) });
  return new Map(rows.map((row) => [row.name, row]));
};

/** A document names the kind of a rule always, a change of one never: it stays as it was. */
const bodyOf = async ({ fields }: Entry, row: AlertRuleEntity | null): Promise<AlertRuleUpdate> => {
  if (!row) return validateAs(AlertRuleCreate, fields);
  const { kind = row.kind, ...change } = fields;
  const body = await validateAs(AlertRuleUpdate, change);
  if (kind === row.kind) return body;
  const message = `kind must be ${row.kind}, which cannot be changed; delete the rule ${row.name} first, or give this one another name`;
  throw invalidFields({ field: 'kind', message });
};

/** Channels are not in documents, since their secrets are not. */
const notesOf = async (manager: EntityManager, { channels = [] }: AlertRuleUpdate): Promise<string[]> =>
  (await unknownChannels(manager, channels))
    .toSorted(inOrder)
    .map((name) => `there is no channel ${name} here: nothing is sent there until there is one`);
