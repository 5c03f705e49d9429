import { Injectable } from '@nestjs/common';
import { AnswerField } from '../../../contract/fields.js';
import { ModelChooser } from '../../choosing/model-chooser.js';
import { readCountRequest } from './messages-reader.js';
import { estimateTokens } from './token-estimate.js';

/** About how long a request is. */
export class TokenCount {
  @AnswerField({ type: 'integer' }) input_tokens: number;
}

/** Says how long a request is without asking anybody: estimated, and the same for every model. */
@Injectable()
export class TokenCounter {
  constructor(private readonly chooser: ModelChooser) {}

  /** Throws what a call of the model would be refused with. */
  async count(body: Buffer | undefined): Promise<TokenCount> {
    const { call } = readCountRequest(body);
    await this.chooser.choose(call);
    return { input_tokens: estimateTokens(call.parameters) };
  }
}
