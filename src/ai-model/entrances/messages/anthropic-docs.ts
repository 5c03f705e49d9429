import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { ERROR_CODES, type ErrorCode } from '../../../contract/error-codes.js';
import { AnswerField } from '../../../contract/fields.js';

class AnthropicErrorDetails {
  @AnswerField({ enum: [...ERROR_CODES], enumName: 'ErrorCode' }) error_code: ErrorCode;
}

class AnthropicErrorBody {
  @AnswerField({ type: 'string' }) type: string;
  @AnswerField({ type: 'string' }) message: string;
  @AnswerField({ enum: [...ERROR_CODES], enumName: 'ErrorCode' }) code: ErrorCode;
  @AnswerField({ type: AnthropicErrorDetails }) details: AnthropicErrorDetails;
}

/** An error as Anthropic shapes it. */
export class AnthropicError {
  @AnswerField({ enum: ['error'] }) type: 'error';
  @AnswerField({ type: AnthropicErrorBody }) error: AnthropicErrorBody;
  @AnswerField({ type: 'string' }) request_id: string;
}

/** Documents that every failure of a route has Anthropic's shape. */
export const ApiAnthropicErrors = (): MethodDecorator =>
  applyDecorators(
    ApiExtraModels(AnthropicError),
    ApiResponse({
      status: 'default',
      description: "Anthropic's shape",
      content: { 'application/json': { schema: { $ref: getSchemaPath(AnthropicError) } } },
    }),
  );
