import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import {
  DOCUMENT_SECTIONS,
  MAX_DOCUMENT_BYTES,
  type DocumentSection,
  type TextFormat,
} from '../../contract/declarative.contract.js';
import type { Author } from '../../platform/auth/author.js';
import { AppError } from '../../platform/errors/app-error.js';
import { ChangeService } from '../database/change.service.js';
import type { Transaction } from '../database/transaction.js';
import { ConfigCredentials } from '../model-config/config-credentials.js';
import { DOCUMENT_KIND, DOCUMENT_VERSION, type HubDocument } from './document.js';
import { writeDocument } from './document-text.js';
import { exportAlertRules } from './rule-export.js';
import { exportModels, exportSealedModels, type SealedModels } from './model-export.js';
import { exportPrompts } from './prompt-export.js';
import { DocumentSeal } from './sealing.js';

/** Writes the whole configuration as a document: the same state gives the same bytes, wherever it is. */
@Injectable()
export class ExportService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ChangeService,
    private readonly credentials: ConfigCredentials,
  ) {}

  /** Without secrets: each is a reference to a variable. */
  async export(sections: readonly DocumentSection[], format: TextFormat): Promise<string> {
    const document = await this.dataSource.transaction('REPEATABLE READ', async (manager): Promise<HubDocument> => ({
      version: DOCUMENT_VERSION,
      kind: DOCUMENT_KIND,
      ...(sections.includes('models') && { models: await exportModels(manager) }),
      ...(sections.includes('prompts') && { prompts: await exportPrompts(manager) }),
      ...(sections.includes('alert_rules') && { alert_rules: await exportAlertRules(manager) }),
    }));
    return bounded(await writeDocument(document, format));
  }

  /** With secrets, sealed to a passphrase. It gives them away, so it is in the history before it is in the answer. */
  async exportSealed(passphrase: string, format: TextFormat, author: Author): Promise<string> {
    const seal = await DocumentSeal.create(passphrase);
    let document: HubDocument | null = null;
    // An answer like this is never kept for a repeated request.
    await this.changes.commit({ ...author, repeatable: null }, async (transaction) => {
      const prompts = await exportPrompts(transaction.manager);
      const sealed = await exportSealedModels(transaction.manager, this.credentials, seal);
      const alert_rules = await exportAlertRules(transaction.manager);
      document = {
        version: DOCUMENT_VERSION,
        kind: DOCUMENT_KIND,
        sealing: seal.describe(sealed.unreadable),
        models: sealed.models,
        prompts,
        alert_rules,
      };
      record(transaction, sealed, { prompts: prompts.length, alert_rules: alert_rules.length });
    });
    return bounded(await writeDocument(document as unknown as HubDocument, format));
  }
}

interface Counts {
  prompts: number;
  alert_rules: number;
}

const record = (transaction: Transaction, { models, secrets, unreadable }: SealedModels, counts: Counts): void =>
  transaction.record({
    kind: 'export',
    subjectId: randomUUID(),
    subjectName: 'sealed export',
    action: 'export',
    version: null,
    before: null,
    after: { sections: DOCUMENT_SECTIONS, models: models.length, ...counts, secrets, unreadable },
  });

const bounded = (text: string): string => {
  if (Buffer.byteLength(text) <= MAX_DOCUMENT_BYTES) return text;
  throw new AppError('export_too_large', {
    detail: `The export would have more than ${MAX_DOCUMENT_BYTES} bytes, and no import takes so many. Export the sections one by one.`,
  });
};
