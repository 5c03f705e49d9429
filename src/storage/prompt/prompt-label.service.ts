import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { LabelMove, LabelRemoval, ProtectedLabels } from '../../contract/prompt.contract.js';
import type { PromptLabelList, PromptLabelView } from '../../contract/prompt-view.contract.js';
import type { Author } from '../../platform/auth/author.js';
import { ChangeService } from '../database/change.service.js';
import { PromptChanges } from './prompt-changes.js';
import { PromptLabelEntity, ProtectedLabelEntity } from './prompt-label.entities.js';
import { PromptLabelWriter } from './prompt-label.writer.js';
import { orPromptNotFound } from './prompt-rows.js';
import { SystemPromptTemplateEntity } from './system-prompt-template.entity.js';

/** Labels of prompts, and which of them only an admin moves. */
@Injectable()
export class PromptLabelService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ChangeService,
    private readonly promptChanges: PromptChanges,
    private readonly writer: PromptLabelWriter,
  ) {}

  move(id: string, label: string, body: LabelMove, author: Author): Promise<PromptLabelView> {
    return this.promptChanges.commit(id, author, (transaction) => this.writer.move(transaction, id, label, body));
  }

  remove(id: string, label: string, query: LabelRemoval, author: Author): Promise<void> {
    return this.promptChanges.commit(id, author, (transaction) => this.writer.remove(transaction, id, label, query));
  }

  async list(id: string): Promise<PromptLabelList> {
    const { manager } = this.dataSource;
    const row = orPromptNotFound(await manager.findOneBy(SystemPromptTemplateEntity, { id }));
    const rows = await manager.find(PromptLabelEntity, { where: { templateId: id }, order: { label: 'ASC' } });
    const guarded = new Set((await this.protectedLabels()).labels);
    const labels = rows.map(({ label, version, movedBy, movedAt }) => ({
      label,
      version,
      moved_by: movedBy,
      moved_at: movedAt.toISOString(),
      is_protected: guarded.has(label),
    }));
    return { labels, latest_version: row.latestVersion };
  }

  async protectedLabels(): Promise<ProtectedLabels> {
    const rows = await this.dataSource.manager.find(ProtectedLabelEntity);
    return { labels: rows.map(({ label }) => label).sort() };
  }

  /** The whole list at once. */
  async protect({ labels }: ProtectedLabels, author: Author): Promise<ProtectedLabels> {
    const next = [...labels].sort();
    await this.changes.commit(author, async (transaction) => {
      const { manager } = transaction;
      // Two lists at once must not become one of both.
      await manager.query('LOCK TABLE protected_prompt_labels IN EXCLUSIVE MODE');
      const known = (await manager.find(ProtectedLabelEntity)).map(({ label }) => label).sort();
      if (known.join() === next.join()) return;
      await manager.deleteAll(ProtectedLabelEntity);
      if (next.length > 0)
        await manager.insert(
          ProtectedLabelEntity,
          next.map((label) => ({ label })),
        );
      transaction.record({
        kind: 'prompt_label',
        subjectId: 'protected-labels',
        subjectName: 'protected labels',
        action: 'update',
        version: null,
        before: { labels: known },
        after: { labels: next },
      });
    });
    return { labels: next };
  }
}
