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
import type { ImportWork } from './import-work.js';
import { ModelImport, type ReadyModel } from './model-import.js';
import { PromptImport, type ReadyPrompt } from './prompt-import.js';
import { type ReadyRule, RuleImport } from './rule-import.js';
import { Plan } from './plan.js';
import { Problems } from './problems.js';
import { DocumentSeal } from './sealing.js';
import { SecretResolver } from './secret-resolver.js';

const AT_ONCE = 8;

/** What was checked and can be written; null: the document does not speak of them. */
interface Ready {
  prompts: ReadyPrompt[] | null;
  models: ReadyModel[] | null;
  rules: ReadyRule[] | null;
}

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
    private readonly rules: RuleImport,
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
    document: ReadDocument,
    resolver: SecretResolver,
    { prune = false, on_missing_secret, dry_run = false, plan: expected }: ImportQuery,
  ): Promise<ImportPlan> {
    const plan = new Plan();
    const problems = new Problems();
    const work = { resolver, plan, problems, skipMissing: on_missing_secret === 'skip' };
    await takeTurn(transaction);
    const ready = await this.prepare(transaction, document, work);
    problems.throwIfAny();
    await lockAll(transaction, { ...ready, prune });
    await this.write(transaction, ready, work);
    if (prune) await this.prune(transaction, document, work);
    await this.writeRules(transaction, ready, work, prune ? document.alert_rules : null);
    problems.throwIfAny();
    const answer = plan.finish(document.format, document.report, dry_run);
    if (expected === undefined || expected === answer.plan_digest) return answer;
    throw new AppError('plan_outdated', {
      detail: 'Nothing was changed. Something else was changed since the plan was made; make it anew.',
    });
  }

  private async prepare(transaction: Transaction, document: ReadDocument, work: ImportWork): Promise<Ready> {
    const { models, prompts, alert_rules: rules } = document;
    return {
      prompts: prompts && (await this.prompts.prepare(transaction, prompts, work)),
      models: models && (await this.models.prepare(transaction, models, work)),
      rules: rules && (await this.rules.prepare(transaction, rules, work)),
    };
  }

  /** Prompts first: the default prompt of a model has to be there. */
  private async write(transaction: Transaction, { prompts, models }: Ready, work: ImportWork): Promise<void> {
    await this.prompts.write(transaction, prompts ?? [], work);
    await this.models.write(transaction, models ?? [], work);
  }

  private async prune(transaction: Transaction, { prompts, models }: ReadDocument, work: ImportWork): Promise<void> {
    if (models) await this.models.prune(transaction, models, work);
    if (prompts) await this.prompts.prune(transaction, prompts, work);
  }

  /** Those that go make room for those that come. `kept`: all that stay; null: nothing goes. */
  private async writeRules(
    transaction: Transaction,
    { rules }: Ready,
    work: ImportWork,
    kept: Entry[] | null,
  ): Promise<void> {
    if (kept) await this.rules.prune(transaction, kept, work);
    await this.rules.write(transaction, rules ?? [], work);
  }
}

const WRITE_SCOPE = { models: 'models:write', prompts: 'prompts:write', alert_rules: 'alerts:write' } as const;

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
