import { ApiExtraModels, getSchemaPath } from '@nestjs/swagger';
import { AnswerField } from '../../contract/fields.js';
import { TEST_FAILURES, type TestFailureClass } from '../connection-test/failures.js';

/** A model as the management API has always shown it. */
export class ManagedModel {
  @AnswerField({ type: 'string', format: 'uuid' }) id: string;
  @AnswerField({ type: 'string' }) alias: string;
  @AnswerField({ type: 'string' }) provider: string;
  @AnswerField({ type: 'string' }) model_name: string;
  @AnswerField({ type: 'boolean' }) has_api_key: boolean;
  @AnswerField({ type: 'string', nullable: true }) api_base: string | null;
  @AnswerField({ type: 'integer' }) max_tokens: number;
  @AnswerField({ type: 'number', nullable: true }) temperature: number | null;
  @AnswerField({ type: 'boolean' }) is_local: boolean;
  @AnswerField({ type: 'string' }) status: string;
  @AnswerField({ type: 'string', format: 'date-time' }) created_at: string;
}

/** `degraded`: storage could not be asked, this is the last known list. */
export class ManagedModelList {
  @AnswerField({ type: [ManagedModel] }) models: ManagedModel[];
  @AnswerField({ type: 'integer' }) total: number;
  @AnswerField({ type: [String] }) providers: string[];
  @AnswerField({ type: 'boolean' }) degraded: boolean;
}

/** Answer to a change. */
export class ManagedModelChange {
  @AnswerField({ type: 'string', description: 'In the language of Accept-Language (zh-CN, en)' }) message: string;
  @AnswerField({ type: 'string', format: 'uuid' }) model_id: string;
  @AnswerField({ type: 'string' }) status: string;
}

/** Answer to a removal. */
export class ManagedModelRemoval {
  @AnswerField({ type: 'string', description: 'In the language of Accept-Language (zh-CN, en)' }) message: string;
  @AnswerField({ type: 'string', format: 'uuid' }) model_id: string;
}

/** A provider as the management API has always shown it. */
export class ManagedProvider {
  @AnswerField({ type: 'string' }) name: string;
  @AnswerField({ type: 'string', nullable: true, description: 'null: a config must name its own' })
  api_base: string | null;
  @AnswerField({
    type: [String],
    description:
      'Names of known models, at most 200; GET /api/v1/models/providers/{provider}/known-models has them all',
  })
  supported_models: string[];
  @AnswerField({ type: 'boolean' }) requires_api_key: boolean;
  @AnswerField({ type: 'string', description: 'In the language of Accept-Language (zh-CN, en)' }) description: string;
}

@ApiExtraModels(ManagedProvider)
export class ManagedProviders {
  @AnswerField({ type: 'object', additionalProperties: { $ref: getSchemaPath(ManagedProvider) } })
  providers: Record<string, ManagedProvider>;
  @AnswerField({ type: 'integer' }) total: number;
}

/** What was called. */
export class TestedModel {
  @AnswerField({ type: 'string' }) name: string;
  @AnswerField({ type: 'string' }) provider: string;
  @AnswerField({ type: 'string', nullable: true }) endpoint: string | null;
  @AnswerField({ type: 'boolean' }) has_api_key: boolean;
}

/** The model answered. */
export class ManagedTestSuccess {
  @AnswerField({ type: 'string', enum: ['success'] }) status: 'success';
  @AnswerField({ type: 'string' }) message: string;
  @AnswerField({ type: 'number', description: 'Milliseconds' }) response_time_ms: number;
  @AnswerField({ type: TestedModel }) model_info: TestedModel;
}

/** It did not. */
export class ManagedTestError {
  @AnswerField({ type: 'string', enum: ['error'] }) status: 'error';
  @AnswerField({ type: 'string', description: 'What happened, what the provider said, and what to do' })
  message: string;
  @AnswerField({ type: 'boolean', description: 'A key has to be entered' }) requires_api_key: boolean;
  @AnswerField({ type: 'string', enum: [...TEST_FAILURES] }) error_type: TestFailureClass;
}

export type ManagedTest = ManagedTestSuccess | ManagedTestError;
