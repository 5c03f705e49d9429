import { AnswerField } from '../../contract/fields.js';

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
