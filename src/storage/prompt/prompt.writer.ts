import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { HistoryAction } from '../../contract/history.contract.js';
import type {
  PromptContent,
  PromptCreate,
  PromptMetadata,
  PromptRestore,
  PromptUpdate,
  PromptVersionCreate,
} from '../../contract/prompt.contract.js';
import type { PromptOrigin, PromptView, SavedPromptVersion } from '../../contract/prompt-view.contract.js';
import type { Precondition } from '../database/precondition.js';
import type { Transaction } from '../database/transaction.js';
import { hasContent, toContent, type Content } from './prompt-content.js';
import { refuseUnusableLatest, refuseWhileFollowed } from './prompt-followers.js';
import { PromptLabelWriter } from './prompt-label.writer.js';
import { naming, refuseOtherName, requireBase } from './prompt-refusals.js';
import { findVersion, lockPrompt, readContent, type LockedPrompt } from './prompt-rows.js';
import { PromptVersionEntity } from './prompt-version.entity.js';
import { toColumns, toHistoryState, toPromptView, toVersionView } from './prompt.mapper.js';
import { SystemPromptTemplateEntity } from './system-prompt-template.entity.js';

interface SaveOptions {
  precondition?: Precondition;
  /** How a version that is added came to be; `edit` when not given. */
  origin?: PromptOrigin;
}

/** One change of a template: of its metadata, its content, or both. */
interface Change {
  metadata: PromptMetadata;
  content: Partial<PromptContent>;
  message: string | undefined;
  origin: PromptOrigin;
  /** What a new version says it was made from; undefined: the newest one. */
  madeFrom?: number;
}

/** Writes prompts inside a transaction of the caller: alone, restored or imported, the rules are the same. */
@Injectable()
export class PromptWriter {
  constructor(private readonly labels: PromptLabelWriter) {}

  /** The template with its first version, and labels at it. */
  async create(
    transaction: Transaction,
    body: PromptCreate,
    { origin = 'edit' }: SaveOptions = {},
  ): Promise<PromptView> {
    const { manager, author } = transaction;
    const content = toContent(body, null);
    const row = manager.create(SystemPromptTemplateEntity, {
      name: body.name,
      displayName: body.name,
      ...toColumns(body),
      latestVersion: 1,
      createdBy: author.tokenId,
      updatedBy: author.tokenId,
    });
    const { identifiers } = await naming(body.name, manager.insert(SystemPromptTemplateEntity, row));
    const id = (identifiers[0] as { id: string }).id;
    const message = body.message ?? '';
    await addRow(transaction, { templateId: id, version: 1, ...content, message, baseVersion: null, origin });
    const created = await manager.findOneByOrFail(SystemPromptTemplateEntity, { id });
    const { labels = {} } = body;
    const prompt = { row: created, labels, latest: await findVersion(manager, id, 1) };
    record(transaction, 'create', null, prompt);
    await this.labels.placeFirst(transaction, created, Object.keys(labels));
    return viewOf(prompt);
  }

  /** Absent fields keep their value, `null` clears. A change that changes nothing keeps the version too. */
  async update(
    transaction: Transaction,
    id: string,
    body: PromptUpdate,
    { precondition = null, origin = 'edit' }: SaveOptions = {},
  ): Promise<PromptView> {
    const prompt = await lockPrompt(transaction.manager, id, precondition);
    refuseOtherName(prompt.row.name, body.name);
    if (hasContent(body)) requireBase(prompt.row, body.base_version);
    return viewOf(
      await this.save(transaction, prompt, { metadata: body, content: body, message: body.message, origin }),
    );
  }

  /** The same content as the newest version's adds none. */
  async addVersion(
    transaction: Transaction,
    id: string,
    body: PromptVersionCreate,
    { origin = 'edit' }: SaveOptions = {},
  ): Promise<SavedPromptVersion> {
    const prompt = await lockPrompt(transaction.manager, id);
    requireBase(prompt.row, body.base_version);
    return savedOf(
      prompt,
      await this.save(transaction, prompt, { metadata: {}, content: body, message: body.message, origin }),
    );
  }

  /** A new version with the content of an older one. */
  async restore(
    transaction: Transaction,
    id: string,
    version: number,
    body: PromptRestore,
  ): Promise<SavedPromptVersion> {
    const { manager } = transaction;
    const prompt = await lockPrompt(manager, id);
    requireBase(prompt.row, body.base_version);
    const old = await findVersion(manager, id, version);
    const content = {
      prompt_content: old.promptContent,
      syntax: old.syntax,
      variables: old.variables,
      example_variables: old.exampleVariables,
    };
    const change: Change = { metadata: {}, content, message: body.message, origin: 'restore', madeFrom: version };
    return savedOf(prompt, await this.save(transaction, prompt, change));
  }

  /** Answers the prompt itself when nothing changes. */
  private async save(transaction: Transaction, prompt: LockedPrompt, change: Change): Promise<LockedPrompt> {
    const { manager, author } = transaction;
    const { row } = prompt;
    const columns = changedColumns(row, change.metadata);
    const content = newContent(prompt, change.content);
    if (!content && Object.keys(columns).length === 0) return prompt;
    if (columns.isActive === false)
      await refuseWhileFollowed(manager, row.name, null, 'A prompt that models use cannot be archived.');
    if (content) await this.addVersionOf(transaction, prompt, content, change);
    const next = {
      ...columns,
      ...(content && { latestVersion: row.latestVersion + 1 }),
      version: row.version + 1,
      updatedBy: author.tokenId,
      updatedAt: () => 'now()',
    };
    await manager.update(SystemPromptTemplateEntity, { id: row.id }, next);
    const updated = await manager.findOneByOrFail(SystemPromptTemplateEntity, { id: row.id });
    const saved = { row: updated, ...(await readContent(manager, updated)) };
    record(transaction, actionOf(columns, change.origin), prompt, saved);
    return saved;
  }

  private async addVersionOf(
    transaction: Transaction,
    { row }: LockedPrompt,
    content: Content,
    { message = '', origin, madeFrom }: Change,
  ): Promise<void> {
    const version = row.latestVersion + 1;
    await refuseUnusableLatest(transaction.manager, row.name, { version, variables: content.variables });
    const baseVersion = madeFrom ?? (row.latestVersion || null);
    await addRow(transaction, { templateId: row.id, version, ...content, message, baseVersion, origin });
  }
}

const addRow = async (
  { manager, author }: Transaction,
  row: Omit<PromptVersionEntity, 'createdBy' | 'createdAt'>,
): Promise<void> => {
  await manager.insert(PromptVersionEntity, { ...row, createdBy: author.tokenId });
};

const viewOf = ({ row, labels, latest }: LockedPrompt): PromptView => toPromptView(row, labels, latest);

/** After a version was saved there is one. */
const savedOf = (before: LockedPrompt, { latest, labels }: LockedPrompt): SavedPromptVersion => ({
  ...toVersionView(latest as PromptVersionEntity, labels),
  unchanged: latest?.version === before.latest?.version,
});

const record = (
  transaction: Transaction,
  action: HistoryAction,
  before: LockedPrompt | null,
  after: LockedPrompt,
): void => {
  const stateOf = ({ row, labels, latest }: LockedPrompt): Record<string, unknown> =>
    toHistoryState(row, labels, latest?.contentSha256 ?? null);
  transaction.record({
    kind: 'prompt',
    subjectId: after.row.id,
    subjectName: after.row.name,
    action,
    version: after.row.version,
    before: before && stateOf(before),
    after: stateOf(after),
  });
};

const actionOf = (columns: Partial<SystemPromptTemplateEntity>, origin: PromptOrigin): HistoryAction => {
  if (columns.isActive !== undefined) return columns.isActive ? 'unarchive' : 'archive';
  if (Object.keys(columns).length > 0) return 'update';
  return origin === 'restore' ? 'restore' : 'add_version';
};

/** By value: jsonb does not keep the order of keys. */
const changedColumns = (
  row: SystemPromptTemplateEntity,
  metadata: PromptMetadata,
): Partial<SystemPromptTemplateEntity> =>
  Object.fromEntries(
    Object.entries(toColumns(metadata)).filter(
      ([column, value]) => !isDeepStrictEqual(row[column as keyof SystemPromptTemplateEntity], value),
    ),
  );

const newContent = ({ latest }: LockedPrompt, sent: Partial<PromptContent>): Content | null => {
  if (!hasContent(sent)) return null;
  const content = toContent(sent, latest);
  return content.contentSha256 === latest?.contentSha256 ? null : content;
};
