import { Controller, Get, Param, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { AnswerField } from '../../contract/fields.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { AppError } from '../../platform/errors/app-error.js';
import { isCallable } from '../calls/callable.js';
import { ModelDirectory } from '../model-directory/model-directory.js';
import { ApiOpenAiErrors } from '../openai-docs.js';

/** What a model takes besides text. */
export class ModelCapabilities {
  @AnswerField({ type: 'boolean' }) streaming: boolean;
  @AnswerField({ type: 'boolean' }) files: boolean;
  @AnswerField({ type: 'boolean' }) images: boolean;
  @AnswerField({ type: 'boolean' }) videos: boolean;
  @AnswerField({ type: 'boolean' }) audio: boolean;
}

/** OpenAI's model object, with what the hub knows beside it. */
export class CallableModel {
  @AnswerField({ type: 'string', description: 'The alias' }) id: string;
  @AnswerField({ type: 'string', enum: ['model'] }) object: 'model';
  @AnswerField({ type: 'integer', description: 'Seconds since 1970' }) created: number;
  @AnswerField({ type: 'string' }) owned_by: string;
  @AnswerField({ type: 'string' }) provider: string;
  @AnswerField({ type: 'integer', nullable: true }) context_window: number | null;
  @AnswerField({ type: ModelCapabilities }) capabilities: ModelCapabilities;
}

export class CallableModelList {
  @AnswerField({ type: 'string', enum: ['list'] }) object: 'list';
  @AnswerField({ type: [CallableModel] }) data: CallableModel[];
}

const toCallableModel = (model: SnapshotModel): CallableModel => ({
  id: model.alias,
  object: 'model',
  created: Math.floor(Date.parse(model.created_at) / 1000),
  owned_by: model.provider,
  provider: model.provider,
  context_window: model.context_window,
  capabilities: {
    streaming: model.is_streaming_supported,
    files: model.supports_files,
    images: model.supports_images,
    videos: model.supports_videos,
    audio: model.supports_audio,
  },
});

/** The models a caller can name, as OpenAI lists them. */
@ApiTags('calling models')
@RequireScope('invoke')
@Controller('v1/models')
export class ModelsController {
  constructor(private readonly directory: ModelDirectory) {}

  /** Every model that can be called. */
  @Get()
  @ApiOkResponse({ type: CallableModelList })
  @ApiOpenAiErrors()
  list(): CallableModelList {
    return { object: 'list', data: this.directory.models().filter(isCallable).map(toCallableModel) };
  }

  /** One model; slashes in its alias may be sent as they are. */
  @Get('*')
  @ApiOkResponse({ type: CallableModel })
  @ApiOpenAiErrors()
  async read(@Param('*') alias: string, @Req() { span }: FastifyRequest): Promise<CallableModel> {
    const model = await this.directory.find(alias, span);
    if (!isCallable(model)) {
      throw new AppError('model_not_found', {
        detail: `The model ${alias} cannot be called at the moment.`,
        param: 'model',
      });
    }
    return toCallableModel(model);
  }
}
