import { applyDecorators, type Type } from '@nestjs/common';
import { ApiCreatedResponse, ApiHeader, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { ERROR_CODES, type ErrorCode } from '../../contract/error-codes.js';
import { AnswerField } from '../../contract/fields.js';
import { ERROR_CATALOGUE } from '../errors/error-catalogue.js';

/** One field that was refused. */
export class ProblemField {
  @AnswerField({ type: 'string' }) field: string;
  @AnswerField({ type: 'string' }) message: string;
}

/** An error as RFC 9457 shapes it. */
export class Problem {
  @AnswerField({ type: 'string' }) type: string;
  @AnswerField({ type: 'string' }) title: string;
  @AnswerField({ type: 'integer' }) status: number;
  @AnswerField({ type: 'string' }) detail: string;
  @AnswerField({ type: 'string' }) instance: string;
  @AnswerField({ enum: [...ERROR_CODES], enumName: 'ErrorCode' }) code: ErrorCode;
  @AnswerField({ type: 'string' }) request_id: string;
  @AnswerField({ type: [ProblemField], required: false }) errors?: ProblemField[];
}

const codesOf = (status: number): string =>
  ERROR_CODES.filter((code) => ERROR_CATALOGUE[code].status === status)
    .map((code) => `\`${code}\``)
    .join(', ');

/** Documents the problems a route can answer with; 304 has no body. */
export const ApiProblems = (...statuses: number[]): MethodDecorator =>
  applyDecorators(
    ...statuses.map((status) =>
      status === 304
        ? ApiResponse({ status, description: 'Not changed since the ETag in If-None-Match' })
        : ApiResponse({
            status,
            description: codesOf(status),
            content: { 'application/problem+json': { schema: { $ref: getSchemaPath(Problem) } } },
          }),
    ),
  );

/** 201 with `Location` and `ETag`. */
export const ApiCreated = (type: Type): MethodDecorator =>
  ApiCreatedResponse({
    type,
    headers: {
      Location: { description: 'Where it is', schema: { type: 'string' } },
      ETag: { description: 'Its version', schema: { type: 'string' } },
    },
  });

export const IfMatchHeader = (): MethodDecorator =>
  ApiHeader({ name: 'If-Match', required: false, description: 'The ETag that was read; 412 when it is stale' });

export const IfNoneMatchHeader = (): MethodDecorator =>
  ApiHeader({ name: 'If-None-Match', required: false, description: 'An ETag that is known; 304 when it still holds' });
