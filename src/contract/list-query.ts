import { applyDecorators } from '@nestjs/common';
import { AnswerField, fromQueryInteger, IntegerField, ObjectField, satisfies } from './fields.js';

/** Which part of a list: how many are passed over, and how many are told at most. */
export class Page {
  @fromQueryInteger()
  @IntegerField({ min: 0, max: 1_000_000_000, default: 0 })
  skip?: number;

  @fromQueryInteger()
  @IntegerField({ min: 1, max: 1000, default: 100 })
  limit?: number;
}

const sortProblem = (fields: readonly string[], value: unknown): string | null => {
  const parts = typeof value === 'string' ? value.split(',') : [''];
  return parts.length <= 5 && parts.every((part) => fields.includes(part.replace(/^-/, '')))
    ? null
    : `must be up to five of ${fields.join(', ')}, separated by commas, each with - in front for descending`;
};

const tagFilterProblem = (value: unknown): string | null => {
  const filters: unknown[] = Array.isArray(value) ? value : [value];
  return filters.length <= 10 &&
    filters.every((filter) => typeof filter === 'string' && filter.length <= 300 && /^[^:]+:/.test(filter))
    ? null
    : 'must be of the form key:value (at most ten of them)';
};

const optional = (name: string, problem: (value: unknown) => string | null): PropertyDecorator =>
  satisfies(name, (value) => (value === undefined ? null : problem(value)));

/** Up to five of these fields, as `-priority,name`. */
export const SortField = (fields: readonly string[], standard: string): PropertyDecorator =>
  applyDecorators(
    AnswerField({ type: 'string', required: false, default: standard, example: standard }),
    optional('sort', (value) => sortProblem(fields, value)),
  );

/** `key:value`, once or several times. */
export const TagFilter = (): PropertyDecorator =>
  applyDecorators(
    AnswerField({ type: 'string', required: false, description: 'key:value; repeat it to ask for several' }),
    optional('tagFilter', tagFilterProblem),
  );

/** What a {@link TagFilter} asks for, as an object that the tags must contain. */
export const tagsOfFilter = (filter: string): Record<string, string> => {
  const colon = filter.indexOf(':');
  return { [filter.slice(0, colon)]: filter.slice(colon + 1) };
};

const tagsProblem = (tags: Record<string, unknown>, max: number): string | null => {
  const entries = Object.entries(tags);
  if (entries.length > max) return `must have at most ${max} tags`;
  const good = entries.every(
    ([key, value]) => /^[^:\s][^:]{0,62}$/.test(key) && typeof value === 'string' && value.length <= 200,
  );
  return good ? null : 'must map names (1 to 63 characters, no colon) to strings of at most 200 characters';
};

/** Names and values of the caller's own. */
export const TagsField = ({ max }: { max: number }): PropertyDecorator =>
  ObjectField({
    check: (tags) => tagsProblem(tags, max),
    default: {},
    schema: { additionalProperties: { type: 'string' } },
    description: 'Names and values of your own',
  });
