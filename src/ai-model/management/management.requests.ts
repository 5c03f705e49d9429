import { PartialType, PickType } from '@nestjs/swagger';
import { NumberField, ObjectField } from '../../contract/fields.js';
import { ModelConfigCreate, parametersProblem } from '../../contract/model-config.contract.js';

/** Body of `POST /management/add`, as its callers have always sent it. */
export class ManagedModelCreate extends PickType(ModelConfigCreate, [
  'alias',
  'provider',
  'model_name',
  'api_key',
  'api_base',
  'max_tokens',
  'is_local',
]) {
  @NumberField({ nullable: true, min: 0, max: 2, description: 'default_temperature of the config' })
  temperature?: number | null;

  @ObjectField({
    nullable: true,
    check: parametersProblem,
    default: {},
    description: 'custom_parameters of the config',
  })
  custom_params?: Record<string, unknown> | null;
}

/** Body of `PUT /management/update/{id}`: absent fields keep their value, `null` clears. */
export class ManagedModelUpdate extends PartialType(ManagedModelCreate, { skipNullProperties: false }) {}
