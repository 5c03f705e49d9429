import { Injectable } from '@nestjs/common';
import {
  DOCUMENT_SECTIONS,
  type ImportPlan,
  type ImportQuery,
  MAX_DOCUMENT_OBJECTS,
  MAX_DOCUMENT_VERSIONS,
} from '../../contract/declarative.contract.js';
import type { Author } from '../../platform/auth/author.js';
import { AppError, invalidFields } from '../../platform/errors/app-error.js';
import { Turnstile } from '../../platform/limits/turnstile.js';
import { ChangeService } from '../database/change.service.js';
import type { Transaction } from '../database/transaction.js';
import type { Entry, ReadDocument } from './document.js';
import { readDocument } from './formats/read-document.js';
import { lockAll, takeTurn } from './import-locks.js';
import type { ImportRequest } from './import-request.js';
import { ModelImport } from './model-import.js';
import { PromptImport } from './prompt-import.js';
import { Plan } from './plan.js';
import { Problems } from './problems.js';
import { DocumentSeal } from './sealing.js';
import { SecretResolver } from './secret-resolver.js';

const AT_ONCE = 8;

/**
 * Makes the hub what a document says: all of it, or nothing. The plan is the import itself, rehearsed: the same work in
 * a transaction that is taken back, so that the two cannot differ.
 */
@Injectable()
export class ImportService {
  /** Those that wait hold no connection to the database yet. */
  private readonly turnstile = new Turnstile('Importing', AT_ONCE);

  constructor(
    private readonly changes: ChangeService,
    private readonly models: ModelImport,
    private readonly prompts: PromptImport,
  ) {}

  async import(request: ImportRequest, query: ImportQuery, author: Author): Promise<ImportPlan> {
    const document = readDocument(request.document, request.format);
    checkScopes(document, author);
    checkSize(document);
    const seal =
      document.sealing && request.passphrase !== null
        ? await DocumentSeal.open(document.sealing, request.passphrase)
        : null;
    const resolver = new SecretResolver(new Map([...document.variables, ...request.env]), seal);
    const work = (transaction: Transaction): Promise<ImportPlan> => this.apply(transaction, document, resolver, query);
    if (query.dry_run) return this.turnstile.pass(() => this.changes.rehearse(author, work));
    const plan = await this.turnstile.pass(() => this.changes.commit(author, work));
    return { ...plan, revision: await this.changes.currentRevision() };
  }

  private async apply(
    transaction: Transaction,
    { models, prompts, format, report }: ReadDocument,
    resolver: SecretResolver,
    { prune = false, on_missing_secret, dry_run = false, plan: expected }: ImportQuery,
  ): Promise<ImportPlan> {
    const plan = new Plan();
    const problems = new Problems();
    const work = { resolver, plan, problems, skipMissing: on_missing_secret === 'skip' };
    await takeTurn(transaction);
    const readyPrompts = prompts && (await this.prompts.prepare(transaction, prompts, work));
    const readyModels = models && (await this.models.prepare(transaction, models, work));
    problems.throwIfAny();
    await lockAll(transaction, { prompts: readyPrompts, models: readyModels, prune });
    // Prompts first: the default prompt of a model has to be there.
    await this.prompts.write(transaction, readyPrompts ?? [], work);
    await this.models.write(transaction, readyModels ?? [], work);
    if (prune && models) await this.models.prune(transaction, models, work);
    if (prune && prompts) await this.prompts.prune(transaction, prompts, work);
    problems.throwIfAny();
    const answer = plan.finish(format, report, dry_run);
    if (expected === undefined || expected === answer.plan_digest) return answer;
    throw new AppError('plan_outdated', {
      detail: 'Nothing was changed. Something else was changed since the plan was made; make it anew.',
    });
  }
}

const WRITE_SCOPE = { models: 'models:write', prompts: 'prompts:write' } as const;

const checkScopes = (document: ReadDocument, { scopes }: Author): void => {
  const missing = DOCUMENT_SECTIONS.filter((section) => document[section] && !scopes.has(WRITE_SCOPE[section]));
  if (missing.length === 0) return;
  const names = missing.map((section) => WRITE_SCOPE[section]).join(' and ');
  throw new AppError('scope_missing', { detail: `This document needs a token with scope ${names}.` });
};

const versionsOf = ({ fields }: Entry): number => (Array.isArray(fields['versions']) ? fields['versions'].length : 0);

const checkSize = (document: ReadDocument): void => {
  for (const section of DOCUMENT_SECTIONS) {
    if ((document[section]?.length ?? 0) <= MAX_DOCUMENT_OBJECTS) continue;
    throw invalidFields({ field: section, message: `${section} must have at most ${MAX_DOCUMENT_OBJECTS} entries` });
  }
  const versions = (document.prompts ?? []).reduce((sum, entry) => sum + versionsOf(entry), 0);
  if (versions <= MAX_DOCUMENT_VERSIONS) return;
  const message = `prompts must have at most ${MAX_DOCUMENT_VERSIONS} versions all together`;
  throw invalidFields({ field: 'prompts', message });
};
