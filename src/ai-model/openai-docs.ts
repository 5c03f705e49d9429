import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { applyDecorators } from '@nestjs/common';
import { ERROR_CODES, type ErrorCode } from '../contract/error-codes.js';
import { AnswerField } from '../contract/fields.js';

class OpenAiErrorBody {
  @AnswerField({ type: 'string' }) message: string;
  @AnswerField({ type: 'string' }) type: string;
  @AnswerField({ type: 'string', nullable: true }) param: string | null;
  @AnswerField({ enum: [...ERROR_CODES], enumName: 'ErrorCode' }) code: ErrorCode;
}

/** An error as OpenAI shapes it. */
export class OpenAiError {
  @AnswerField({ type: OpenAiErrorBody }) error: OpenAiErrorBody;
}

/** Documents that every failure of a route has OpenAI's shape. */
export const ApiOpenAiErrors = (): MethodDecorator =>
  applyDecorators(
    ApiExtraModels(OpenAiError),
    ApiResponse({
      status: 'default',
      description: "OpenAI's shape",
      content: { 'application/json': { schema: { $ref: getSchemaPath(OpenAiError) } } },
    }),
  );
