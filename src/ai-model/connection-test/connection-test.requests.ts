import { PartialType } from '@nestjs/swagger';
import { BooleanField, ChoiceField, TextField, TextListField } from '../../contract/fields.js';
import { NewModelConfig } from '../../contract/model-config.contract.js';
import { TEST_MODALITIES, type TestModality } from './test-modality.js';

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const ModalityField = (): PropertyDecorator =>
  ChoiceField(TEST_MODALITIES, {
    description: "Shows the model a tiny sample of this kind; left out: text, or embeddings by the model's name",
  });

export const MOST_TESTS_AT_ONCE = 200;

/** Body of `POST /configs/{id}/test`; none is needed. */
export class ConnectionTestRequest {
  @ModalityField()
  modality?: TestModality;
}

/**
 * Body of `POST /configs/test`: a config as `POST /configs` takes it. With `id` it is a change of that config, as `PUT
 * /configs/{id}` takes it.
 */
export class DraftTestRequest extends PartialType(NewModelConfig, { skipNullProperties: false }) {
  @TextField({
    max: 36,
    pattern: UUID,
    form: 'the id of a config',
    description:
      'A config that this is a change of: fields that are left out are as stored. Its secrets are used only where provider and origin of api_base are the same',
  })
  id?: string;

  @ModalityField()
  modality?: TestModality;
}

/** Body of `POST /configs/test-all`: either `ids` or `all`. */
export class ManyTestsRequest {
  @TextListField({ maxItems: MOST_TESTS_AT_ONCE, itemMax: 36, pattern: UUID, form: 'the id of a config' })
  ids?: string[];

  @BooleanField({ description: 'Every model that is switched on, by priority, then alias' })
  all?: boolean;

  @ModalityField()
  modality?: TestModality;
}
