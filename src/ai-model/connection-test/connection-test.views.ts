import { AnswerField } from '../../contract/fields.js';
import { ERROR_CODES, type ErrorCode } from '../../contract/error-codes.js';
import { PROVIDERS, type Provider } from '../../contract/providers.js';
import { TEST_FAILURES, type TestFailureClass } from './failures.js';
import { TEST_MODALITIES, type TestModality } from './test-modality.js';

/**
 * What a test can prove. `address`: a model API answers there. `key`: the provider accepts it, where it is not
 * indifferent to keys. `model`: it answers. A kind of input: the answer shows that the model took it in.
 */
export const PROVEN = ['address', 'key', 'model', 'image', 'file', 'audio', 'video', 'embeddings'] as const;
export type Proven = (typeof PROVEN)[number];

/** What came out of a test. Everything about the failure is null when there is none. */
export class ConnectionTestResult {
  @AnswerField({ type: 'string', format: 'uuid', nullable: true, description: 'null: a config that is not saved' })
  config_id: string | null;
  @AnswerField({ type: 'string' }) alias: string;
  @AnswerField({ enum: [...PROVIDERS], enumName: 'Provider' }) provider: Provider;
  @AnswerField({ type: 'string' }) model_name: string;
  @AnswerField({ type: 'string', nullable: true, description: 'Where the provider is' }) endpoint: string | null;
  @AnswerField({ type: 'string', enum: [...TEST_MODALITIES] }) modality: TestModality;
  @AnswerField({ type: 'string', enum: ['success', 'error'] }) status: 'success' | 'error';
  @AnswerField({ type: 'string', description: 'In the language of Accept-Language (zh-CN, en)' }) message: string;
  @AnswerField({
    type: 'string',
    enum: [...PROVEN],
    isArray: true,
    description:
      'address: an API answers there; key: the provider accepts it; model: it answers; a kind of input: the answer shows that the model took it in',
  })
  proven: Proven[];
  @AnswerField({ type: 'number', description: 'Milliseconds of the call that decided' }) response_time_ms: number;
  @AnswerField({ type: 'string', format: 'date-time' }) tested_at: string;
  @AnswerField({ type: 'string', enum: [...TEST_FAILURES], nullable: true }) error_class: TestFailureClass | null;
  @AnswerField({ enum: [...ERROR_CODES], enumName: 'ErrorCode', nullable: true }) error_code: ErrorCode | null;
  @AnswerField({ type: 'integer', nullable: true, description: "The provider's HTTP status" })
  provider_status: number | null;
  @AnswerField({ type: 'string', nullable: true, description: "The provider's own words, without the key" })
  provider_message: string | null;
  @AnswerField({ type: 'string', nullable: true, description: 'What to do, in the language of Accept-Language' })
  hint: string | null;
}

/** What came out of many tests, in the order they were asked for. */
export class ConnectionTestResults {
  @AnswerField({ type: [ConnectionTestResult] }) results: ConnectionTestResult[];
  @AnswerField({ type: 'integer', description: 'Results' }) total: number;
  @AnswerField({ type: 'integer' }) succeeded: number;
  @AnswerField({ type: 'integer' }) failed: number;
  @AnswerField({ type: [String], description: 'Ids that no config has' }) not_found: string[];
  @AnswerField({
    type: [String],
    description:
      'Ids of models whose turn did not come within the time or the number of one request: ask for them again',
  })
  not_tested: string[];
}
