import { AnswerField, satisfies, TextField } from './fields.js';
import { Page } from './list-query.js';
import { GRANTABLE_SCOPES, type GrantableScope } from './scopes.js';
import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';

const scopesProblem = (value: unknown): string | null => {
  const known = new Set<unknown>(GRANTABLE_SCOPES);
  const good =
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((scope) => known.has(scope)) &&
    new Set(value).size === value.length;
  return good ? null : `must be a list of one or more of ${GRANTABLE_SCOPES.join(', ')}, without repetition`;
};

const ScopesField = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ enum: [...GRANTABLE_SCOPES], isArray: true, enumName: 'Scope', minItems: 1 }),
    satisfies('scopes', scopesProblem),
  );

const expiryProblem = (value: unknown): string | null => {
  if (value === undefined || value === null) return null;
  const time =
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.test(value) ? Date.parse(value) : NaN;
  return time > Date.now() ? null : 'must be a time in the future, such as 2027-01-31T00:00:00Z, or null';
};

/** Body of `POST /api/v1/tokens`. */
export class TokenCreate {
  @TextField({ required: true, max: 100, description: 'Who or what uses it' })
  name: string;

  @ScopesField()
  scopes: GrantableScope[];

  @AnswerField({ type: 'string', format: 'date-time', nullable: true, required: false, default: null })
  @satisfies('expiry', expiryProblem)
  expires_at?: string | null;
}

/** A token as lists show it; the text itself is shown once, when it is created. */
export class TokenView {
  @AnswerField({ type: 'string', format: 'uuid' }) id: string;
  @AnswerField({ type: 'string' }) name: string;
  @AnswerField({ type: 'string', description: 'How the token text begins' }) prefix: string;
  @AnswerField({ enum: GRANTABLE_SCOPES, isArray: true, enumName: 'Scope' }) scopes: GrantableScope[];
  @AnswerField({ type: 'string', description: 'Id of the token that created it' }) created_by: string;
  @AnswerField({ type: 'string', format: 'date-time' }) created_at: string;
  @AnswerField({ type: 'string', format: 'date-time', nullable: true }) expires_at: string | null;
  @AnswerField({ type: 'string', format: 'date-time', nullable: true, description: 'To the minute' })
  last_used_at: string | null;
  @AnswerField({ type: 'string', format: 'date-time', nullable: true }) revoked_at: string | null;
}

/** Answer of `POST /api/v1/tokens`: the only time the text is shown. */
export class CreatedToken extends TokenView {
  @AnswerField({ type: 'string' }) token: string;
}

/** Query of `GET /api/v1/tokens`. */
export class TokenQuery extends Page {}

export class TokenList {
  @AnswerField({ type: [TokenView] }) tokens: TokenView[];
  @AnswerField({ type: 'integer' }) total: number;
  @AnswerField({ type: 'integer' }) skip: number;
  @AnswerField({ type: 'integer' }) limit: number;
}
