import { Injectable } from '@nestjs/common';
import { Any, type EntityManager } from 'typeorm';
import { PromptEntry, PromptVersionEntry } from '../../contract/declarative.contract.js';
import type { PromptCreate } from '../../contract/prompt.contract.js';
import { AppError, invalidFields } from '../../platform/errors/app-error.js';
import { validateAs } from '../../platform/http/validation.js';
import { inTurns } from '../../platform/limits/in-turns.js';
import type { Transaction } from '../database/transaction.js';
import { PromptLabelWriter } from '../prompt/prompt-label.writer.js';
import { toContent } from '../prompt/prompt-content.js';
import { lockPrompt } from '../prompt/prompt-rows.js';
import { PromptVersionEntity } from '../prompt/prompt-version.entity.js';
import { toHistoryState } from '../prompt/prompt.mapper.js';
import { PromptWriter } from '../prompt/prompt.writer.js';
import { SystemPromptTemplateEntity } from '../prompt/system-prompt-template.entity.js';
import { type Entry, inOrder, nameOf } from './document.js';
import type { ImportWork } from './import-work.js';
import { alignVersions, type DocumentVersion } from './version-alignment.js';

/** A prompt of the document, checked, beside the one that has its name. */
export interface ReadyPrompt {
  path: string;
  id: string | null;
  body: PromptEntry;
  /** null: the document does not speak of texts. */
  versions: DocumentVersion[] | null;
}

/** Creates and changes prompts as a document says, each through the rules of a single change. */
@Injectable()
export class PromptImport {
  constructor(
    private readonly writer: PromptWriter,
    private readonly labels: PromptLabelWriter,
  ) {}

  /** Checks all of them; writes and locks nothing. */
  async prepare({ manager }: Transaction, entries: Entry[], work: ImportWork): Promise<ReadyPrompt[]> {
    const ids = await findPrompts(manager, entries);
    const seen = new Map<string, string>();
    const ready: ReadyPrompt[] = [];
    for await (const entry of inTurns(entries)) {
      const name = nameOf(entry, 'name');
      const first = seen.get(name);
      if (first !== undefined) {
        work.problems.add('validation_failed', `${entry.path}.name`, `name is the same as in ${first}`);
        continue;
      }
      seen.set(name, entry.path);
      const prompt = await this.check(entry, ids.get(name) ?? null, work);
      if (prompt) ready.push(prompt);
    }
    return ready.sort((one, other) => inOrder(one.body.name, other.body.name));
  }

  async write(transaction: Transaction, prompts: ReadyPrompt[], { plan, problems }: ImportWork): Promise<void> {
    for (const prompt of prompts) {
      await problems.collect(prompt.path, async () => {
        const notes: string[] = [];
        const before = prompt.id === null ? null : await stateOf(transaction.manager, prompt.id);
        const id = await this.save(transaction, prompt, notes);
        const after = await stateOf(transaction.manager, id);
        plan.add({ kind: 'prompt', name: prompt.body.name, notes }, before, after);
      });
    }
  }

  /** Archives the prompts that the document does not name. */
  async prune(transaction: Transaction, entries: Entry[], { plan, problems }: ImportWork): Promise<void> {
    const named = new Set(entries.map((entry) => nameOf(entry, 'name')));
    const rows = await transaction.manager.findBy(SystemPromptTemplateEntity, { isActive: true });
    for (const { id, name } of rows.sort((one, other) => inOrder(one.name, other.name))) {
      if (named.has(name)) continue;
      await problems.collect(`prompts.${name}`, async () => {
        const before = await stateOf(transaction.manager, id);
        await this.writer.update(transaction, id, { is_active: false });
        const after = await stateOf(transaction.manager, id);
        const notes = ['is archived: its texts stay, and its name stays taken'];
        plan.add({ kind: 'prompt', name, notes, action: 'delete' }, before, after);
      });
    }
  }

  private async check(entry: Entry, id: string | null, { problems }: ImportWork): Promise<ReadyPrompt | null> {
    const body = await problems.collect(entry.path, () => validateAs(PromptEntry, entry.fields));
    if (!body) return null;
    if (id === null && !body.versions) {
      problems.add('validation_failed', `${entry.path}.versions`, 'versions must be sent for a prompt that is new');
      return null;
    }
    const versions = body.versions && (await this.checkVersions(entry.path, body.versions, problems));
    const known = new Set(versions?.map(({ number }) => number));
    for (const [label, number] of Object.entries(body.labels ?? {})) {
      if (!versions || known.has(number)) continue;
      const message = `labels.${label} must be the number of a version in the document`;
      problems.add('validation_failed', `${entry.path}.labels`, message);
    }
    return { path: entry.path, id, body, versions: versions ?? null };
  }

  private async checkVersions(
    path: string,
    list: Record<string, unknown>[],
    problems: ImportWork['problems'],
  ): Promise<DocumentVersion[]> {
    const versions: DocumentVersion[] = [];
    for await (const [index, fields] of inTurns([...list.entries()])) {
      const place = `${path}.versions[${index}]`;
      const last = versions.at(-1)?.number ?? 0;
      const version = await problems.collect(place, async () => readVersion(fields, index + 1, last));
      if (version) versions.push(version);
    }
    return versions;
  }

  /** Answers the prompt's id. */
  private async save(transaction: Transaction, prompt: ReadyPrompt, notes: string[]): Promise<string> {
    const { body, versions } = prompt;
    const { name: _name, labels, versions: _versions, ...metadata } = body;
    const { id, written } = await this.ensure(transaction, prompt, metadata);
    const { manager } = transaction;
    const stored = await manager.find(PromptVersionEntity, {
      select: { templateId: true, version: true, contentSha256: true },
      where: { templateId: id },
      order: { version: 'ASC' },
    });
    const { toAdd, numberOf } = alignVersions(versions ?? [], stored);
    for (const { content } of toAdd) await this.writer.addVersion(transaction, id, content, { origin: 'import' });
    if (!written) await this.writer.update(transaction, id, metadata);
    if (prompt.id !== null && toAdd.length > 0) notes.push(`adds ${countOf(toAdd.length)}`);
    if ([...numberOf].some(([document, here]) => document !== here))
      notes.push('the versions of the document have other numbers here, since texts are only ever added');
    if (labels) await this.setLabels(transaction, id, labels, versions ? numberOf : null);
    return id;
  }

  /** Creates the prompt with its first version, unless it is there. */
  private async ensure(
    transaction: Transaction,
    { id, body, versions }: ReadyPrompt,
    metadata: Omit<PromptEntry, 'name' | 'labels' | 'versions'>,
  ): Promise<{ id: string; written: boolean }> {
    if (id !== null) return { id, written: false };
    const [first] = versions ?? [];
    const created = { ...metadata, ...first?.content, name: body.name } as PromptCreate;
    return { id: (await this.writer.create(transaction, created, { origin: 'import' })).id, written: true };
  }

  private async setLabels(
    transaction: Transaction,
    id: string,
    labels: Record<string, number>,
    numberOf: ReadonlyMap<number, number> | null,
  ): Promise<void> {
    const { labels: present } = await lockPrompt(transaction.manager, id);
    for (const label of Object.keys(present).sort(inOrder)) {
      if (!Object.hasOwn(labels, label)) await this.labels.remove(transaction, id, label, {});
    }
    for (const label of Object.keys(labels).sort(inOrder)) {
      const number = labels[label] ?? 0;
      await this.labels.move(transaction, id, label, { version: numberOf?.get(number) ?? number });
    }
  }
}

const countOf = (versions: number): string => (versions === 1 ? 'a version' : `${versions} versions`);

/** The ids of the prompts that are meant, by name. */
const findPrompts = async (manager: EntityManager, entries: Entry[]): Promise<Map<string, string>> => {
  const names = entries.map((entry) => nameOf(entry, 'name'));
  const rows = await manager.find(SystemPromptTemplateEntity, {
    select: { id: true, name: true },
    where: { name: Any(names) },
  });
  return new Map(rows.map(({ name, id }) => [name, id]));
};

/** As the history keeps it. */
const stateOf = async (manager: EntityManager, id: string): Promise<Record<string, unknown>> => {
  const { row, labels, latest } = await lockPrompt(manager, id);
  return toHistoryState(row, labels, latest?.contentSha256 ?? null);
};

const readVersion = async (fields: Record<string, unknown>, place: number, last: number): Promise<DocumentVersion> => {
  const { version: number = place, content_sha256: hash, ...content } = await validateAs(PromptVersionEntry, fields);
  if (number <= last) {
    throw invalidFields({ field: 'version', message: 'version must be greater than that of the version before it' });
  }
  const { contentSha256 } = toContent(content, null);
  if (hash !== undefined && hash !== contentSha256) {
    const message =
      'content_sha256 is not that of this content: a version never changes. Add another version, or leave content_sha256 out';
    throw new AppError('validation_failed', { detail: message, fields: [{ field: 'content_sha256', message }] });
  }
  return { number, content, contentSha256 };
};
