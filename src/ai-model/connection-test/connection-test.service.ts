import { Injectable } from '@nestjs/common';
import { NewModelConfig, withPreset } from '../../contract/model-config.contract.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { invalidFields } from '../../platform/errors/app-error.js';
import type { Language } from '../../platform/http/accept-language.js';
import { validateAs } from '../../platform/http/validation.js';
import { inParallel } from '../../platform/limits/in-parallel.js';
import { Turnstile } from '../../platform/limits/turnstile.js';
import type { Span } from '../../platform/tracing/span.js';
import { ModelDirectory } from '../model-directory/model-directory.js';
import { UsageBuffer } from '../usage/usage-buffer.js';
import { type DraftTestRequest, type ManyTestsRequest, MOST_TESTS_AT_ONCE } from './connection-test.requests.js';
import type { ConnectionTestResult, ConnectionTestResults } from './connection-test.views.js';
import { ConnectionTester, type Tester, type TestSubject } from './connection-tester.js';
import { changedModel, newModel } from './draft.js';
import { defaultModalityOf, type TestModality } from './test-modality.js';
import { toResult } from './test-result.js';

const AT_ONCE = 4;
/** No test of many begins later than this after the first one. */
const MANY_MILLISECONDS = 120_000;
/** How long an answer waits for storage to learn of a key that was refused or accepted. */
const NOTE_MILLISECONDS = 2000;

/** Who tests, and in which language he is told. */
export interface TestAsker extends Tester {
  language: Language;
}

/** Tests models that are saved, models that are not yet, and many at once. */
@Injectable()
export class ConnectionTestService {
  private readonly turnstile = new Turnstile('Testing many models', 2);

  constructor(
    private readonly directory: ModelDirectory,
    private readonly tester: ConnectionTester,
    private readonly usage: UsageBuffer,
  ) {}

  /** Throws `config_not_found`, `storage_unavailable`. */
  async testSaved(id: string, modality: TestModality | undefined, asker: TestAsker): Promise<ConnectionTestResult> {
    return this.testModel(await this.directory.readById(id.toLowerCase(), asker.asker.span), modality, asker);
  }

  /**
   * A config as somebody is about to save it; nothing is counted and no status set. Throws `credential_required` when a
   * stored secret would have to go elsewhere.
   */
  async testDraft({ id, modality, ...fields }: DraftTestRequest, asker: TestAsker): Promise<ConnectionTestResult> {
    const draft = id === undefined ? await readNew(fields) : await this.readChanged(id, fields, asker.asker.span);
    // Its limit is for the calls to come; here it would count for a model that nobody else calls.
    const model = { ...draft, rate_limit_per_minute: null };
    const subject = { model, modality: modality ?? defaultModalityOf(model), isSaved: false };
    return toResult(subject, await this.tester.test(subject, asker), asker.language);
  }

  /** A few at a time; one such request after the other. */
  async testMany({ ids, all, modality }: ManyTestsRequest, asker: TestAsker): Promise<ConnectionTestResults> {
    if ((ids === undefined) === (all !== true)) {
      throw invalidFields({ field: 'ids', message: 'ids must be sent, or all must be true, and not both' });
    }
    return this.turnstile.pass(async () => {
      await this.directory.requireCurrent(asker.asker.span);
      const known = new Map(this.directory.models().map((model) => [model.id, model]));
      const wanted = ids?.map((id) => id.toLowerCase()) ?? enabled(known.values());
      const found = wanted.flatMap((id) => known.get(id) ?? []);
      const results = await this.testEach(found.slice(0, MOST_TESTS_AT_ONCE), modality, asker);
      return {
        ...summarise(results),
        not_found: wanted.filter((id) => !known.has(id)),
        not_tested: found.map(({ id }) => id).filter((id) => !results.some((result) => result.config_id === id)),
      };
    });
  }

  private async readChanged(
    id: string,
    { preset, ...change }: Partial<NewModelConfig>,
    span: Span | null,
  ): Promise<SnapshotModel> {
    if (preset !== undefined) {
      const message = 'preset is for a new config; a change names its provider and api_base';
      throw invalidFields({ field: 'preset', message });
    }
    return changedModel(await this.directory.readById(id.toLowerCase(), span), change);
  }

  private async testEach(
    models: readonly SnapshotModel[],
    modality: TestModality | undefined,
    asker: TestAsker,
  ): Promise<ConnectionTestResult[]> {
    const end = performance.now() + MANY_MILLISECONDS;
    const results = await inParallel(models, AT_ONCE, async (model) =>
      performance.now() < end ? this.testModel(model, modality, asker) : null,
    );
    return results.filter((result) => result !== null);
  }

  private async testModel(
    model: SnapshotModel,
    modality: TestModality | undefined,
    asker: TestAsker,
  ): Promise<ConnectionTestResult> {
    const subject: TestSubject = { model, modality: modality ?? defaultModalityOf(model), isSaved: true };
    const finding = await this.tester.test(subject, asker);
    // Its status is right as soon as the answer is there.
    await this.usage.sendSoon(NOTE_MILLISECONDS);
    return toResult(subject, finding, asker.language);
  }
}

/** With everything that `POST /configs` asks for. */
const readNew = async (fields: object): Promise<SnapshotModel> =>
  newModel(withPreset(await validateAs(NewModelConfig, fields)));

const enabled = (models: Iterable<SnapshotModel>): string[] =>
  [...models].filter((model) => model.is_enabled).map(({ id }) => id);

const summarise = (
  results: ConnectionTestResult[],
): Pick<ConnectionTestResults, 'results' | 'total' | 'succeeded' | 'failed'> => {
  const succeeded = results.filter(({ status }) => status === 'success').length;
  return { results, total: results.length, succeeded, failed: results.length - succeeded };
};
