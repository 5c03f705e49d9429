import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { HistoryAction } from '../../contract/history.contract.js';
import type { LabelMove, LabelRemoval } from '../../contract/prompt.contract.js';
import type { PromptVariable } from '../../contract/prompt-variables.js';
import type { PromptLabelView } from '../../contract/prompt-view.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import type { Transaction } from '../database/transaction.js';
import { refuseUnusable, refuseWhileFollowed } from './prompt-followers.js';
import { lockTemplate } from './prompt-rows.js';
import type { SystemPromptTemplateEntity } from './system-prompt-template.entity.js';

/** One statement each: many may want to move one label, and each of them waits for those before it. */
const LOOK = `SELECT held.version AS held, held.moved_by, held.moved_at,
    (SELECT variables FROM system_prompt_template_versions WHERE template_id = $1 AND version = $3) AS variables,
    EXISTS (SELECT 1 FROM protected_prompt_labels WHERE label = $2) AS is_protected
  FROM system_prompt_templates AS prompt
  LEFT JOIN system_prompt_template_labels AS held ON held.template_id = prompt.id AND held.label = $2
  WHERE prompt.id = $1`;
const TOUCH = `UPDATE system_prompt_templates
  SET version = version + 1, updated_by = $3, updated_at = clock_timestamp() WHERE id = $1`;
const PLACE = `INSERT INTO system_prompt_template_labels (template_id, label, moved_by, moved_at, version)
  VALUES ($1, $2, $3, clock_timestamp(), $4) ON CONFLICT (template_id, label) DO UPDATE
  SET version = excluded.version, moved_by = excluded.moved_by, moved_at = excluded.moved_at`;
const MOVE = `WITH touched AS (${TOUCH}) ${PLACE} RETURNING moved_by, moved_at`;
const REMOVE = `WITH touched AS (${TOUCH}) DELETE FROM system_prompt_template_labels WHERE template_id = $1 AND label = $2`;
const PROTECTED = 'SELECT label FROM protected_prompt_labels WHERE label = ANY($1) ORDER BY label';

interface Holder {
  moved_by: string;
  moved_at: Date;
}

interface Seen extends Holder {
  /** null: nowhere. */
  held: number | null;
  /** Of the version it is to stand at; null: there is none. */
  variables: PromptVariable[] | null;
  is_protected: boolean;
}

interface LabelChange {
  action: HistoryAction;
  label: string;
  from: number | null;
  to: number | null;
  reason: string;
}

/** Moves labels inside a transaction of the caller. A label has one row, so it has one holder at every moment. */
@Injectable()
export class PromptLabelWriter {
  /** Where it stands already it stays, and nothing is recorded. */
  async move(
    transaction: Transaction,
    id: string,
    label: string,
    { version, expected_version: expected, reason = '' }: LabelMove,
  ): Promise<PromptLabelView> {
    const { manager, author } = transaction;
    const row = await lockTemplate(manager, id);
    const seen = await look(manager, id, label, version);
    if (seen.is_protected) requireAdmin(transaction, [label]);
    if (!seen.variables) throw new AppError('version_not_found', { detail: `The prompt has no version ${version}.` });
    requireHeld(label, seen.held, expected);
    if (seen.held === version) return toView(label, version, seen, seen.is_protected);
    await refuseUnusable(manager, row.name, label, { version, variables: seen.variables });
    const [moved] = await manager.query<Holder[]>(MOVE, [id, label, author.tokenId, version]);
    record(transaction, row, { action: 'move', label, from: seen.held, to: version, reason });
    return toView(label, version, moved as Holder, seen.is_protected);
  }

  async remove(
    transaction: Transaction,
    id: string,
    label: string,
    { expected_version: expected, reason = '' }: LabelRemoval,
  ): Promise<void> {
    const { manager, author } = transaction;
    const row = await lockTemplate(manager, id);
    const { held, is_protected } = await look(manager, id, label, null);
    if (held === null)
      throw new AppError('label_not_found', { detail: `No version of the prompt has the label ${label}.` });
    if (is_protected) requireAdmin(transaction, [label]);
    requireHeld(label, held, expected);
    await refuseWhileFollowed(manager, row.name, label, 'A label that models follow cannot be removed.');
    await manager.query(REMOVE, [id, label, author.tokenId]);
    record(transaction, row, { action: 'remove', label, from: held, to: null, reason });
  }

  /** The labels of a template that is just being created. */
  async placeFirst(
    transaction: Transaction,
    row: SystemPromptTemplateEntity,
    labels: readonly string[],
  ): Promise<void> {
    if (labels.length === 0) return;
    const { manager, author } = transaction;
    const found = await manager.query<{ label: string }[]>(PROTECTED, [labels]);
    const guarded = found.map(({ label }) => label);
    if (guarded.length > 0) requireAdmin(transaction, guarded);
    for (const label of labels) {
      await manager.query(PLACE, [row.id, label, author.tokenId, row.latestVersion]);
      record(transaction, row, { action: 'move', label, from: null, to: row.latestVersion, reason: '' }, row.version);
    }
  }
}

const toView = (
  label: string,
  version: number,
  { moved_by, moved_at }: Holder,
  isProtected: boolean,
): PromptLabelView => ({
  label,
  version,
  moved_by,
  moved_at: moved_at.toISOString(),
  is_protected: isProtected,
});

const look = async (manager: EntityManager, id: string, label: string, version: number | null): Promise<Seen> => {
  const [seen] = await manager.query<Seen[]>(LOOK, [id, label, version]);
  return seen as Seen;
};

const requireAdmin = ({ author }: Transaction, labels: readonly string[]): void => {
  if (author.scopes.has('admin')) return;
  throw new AppError('label_protected', {
    detail: `The label ${labels.join(', ')} is protected: only a token with scope admin can move or remove it.`,
  });
};

const requireHeld = (label: string, held: number | null, expected: number | null | undefined): void => {
  if (expected === undefined || expected === held) return;
  const place = held === null ? 'nowhere' : `at version ${held}`;
  throw new AppError('label_moved', {
    detail: `The label ${label} stands ${place} now. Look again before you move it.`,
    extensions: { current_version: held },
  });
};

/** A move is a change of the template, so that its ETag and its labels go together. */
const record = (
  transaction: Transaction,
  row: SystemPromptTemplateEntity,
  { action, label, from, to, reason }: LabelChange,
  version = row.version + 1,
): void => {
  transaction.record({
    kind: 'prompt_label',
    subjectId: row.id,
    subjectName: row.name,
    action,
    version,
    before: { version: from },
    // The label counts as a change too: a list of changes alone has to say which one was moved.
    after: { label, version: to, ...(reason && { reason }) },
  });
};
