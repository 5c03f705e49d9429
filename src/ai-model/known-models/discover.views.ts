import { AnswerField, TextListField } from '../../contract/fields.js';
import { CALL_OUTCOMES } from '../../contract/usage.contract.js';
import type { ErrorClass } from '../providers/provider-error.js';
import { FACT_FIELDS, type FactField } from './model-facts.js';

/** Body of `POST /configs/{id}/discover`; without one nothing is changed. */
export class DiscoverRequest {
  @TextListField({
    maxItems: FACT_FIELDS.length,
    itemMax: 50,
    pattern: new RegExp(`^(?:${FACT_FIELDS.join('|')})$`),
    form: `one of ${FACT_FIELDS.join(', ')}`,
    description: 'Fields that are to take the value found out, where there is one; every other one stays as it is',
  })
  apply?: FactField[];
}

export type FactValue = string | number | boolean;
const VALUE = { oneOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }] };

/** One field of which something is known. */
export class DiscoveredFact {
  @AnswerField({ enum: [...FACT_FIELDS], enumName: 'FactField' }) field: FactField;
  @AnswerField(VALUE) value: FactValue;
  @AnswerField({ type: 'string', enum: ['provider', 'catalogue'], description: 'The provider itself comes first' })
  source: 'provider' | 'catalogue';
  @AnswerField({ ...VALUE, nullable: true, description: 'What the config had' }) current: FactValue | null;
  @AnswerField({ type: 'boolean' }) differs: boolean;
}

/** `unsupported`: this provider has no list of models that could be asked for. */
export const DISCOVERY_FAILURES = [...CALL_OUTCOMES.filter((outcome) => outcome !== 'ok'), 'unsupported'] as const;

/** Why the provider itself told nothing. */
export class DiscoveryFailure {
  @AnswerField({ type: 'string', enum: [...DISCOVERY_FAILURES] }) class: ErrorClass | 'unsupported';
  @AnswerField({ type: 'string' }) message: string;
}

/** What was found out about a config's model. */
export class Discovery {
  @AnswerField({ type: 'string', format: 'uuid' }) config_id: string;
  @AnswerField({ type: 'integer', description: "The config's version now, its ETag" }) version: number;
  @AnswerField({ type: 'string' }) model_name: string;
  @AnswerField({ type: 'boolean', nullable: true, description: 'null: the provider could not tell' })
  listed: boolean | null;
  @AnswerField({ type: [String], description: 'Names the provider lists, at most 1000' }) available_models: string[];
  @AnswerField({ type: [DiscoveredFact] }) facts: DiscoveredFact[];
  @AnswerField({
    enum: [...FACT_FIELDS],
    enumName: 'FactField',
    isArray: true,
    description: 'Fields that were changed',
  })
  applied: FactField[];
  @AnswerField({ type: DiscoveryFailure, nullable: true }) provider_error: DiscoveryFailure | null;
}
