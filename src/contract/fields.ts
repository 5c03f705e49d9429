/**
 * Field decorators of the contract: each declares validation (class-validator) and documentation (OpenAPI) at once,
 * so that the document can never promise what the validation does not check.
 *
 * `nullable`: `null` is accepted and means "not set". `required`: the field must be sent. A field that is neither
 * may be left out, but not be `null`.
 */
import { applyDecorators } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  registerDecorator,
  ValidateIf,
  type ValidationOptions,
} from 'class-validator';

interface FieldOptions {
  description?: string;
  required?: boolean;
  nullable?: boolean;
  default?: unknown;
  example?: unknown;
  /** Never part of an answer. */
  writeOnly?: boolean;
}

const field = (options: FieldOptions, schema: object, ...checks: PropertyDecorator[]): PropertyDecorator => {
  const { required = false, nullable = false, ...documented } = options;
  const property = { required, nullable, ...documented, ...schema } as ApiPropertyOptions;
  const presence = required
    ? ValidateIf((_object, value) => !(nullable && value === null))
    : ValidateIf((_object, value) => value !== undefined && !(nullable && value === null));
  return applyDecorators(ApiProperty(property), presence, ...checks);
};

interface TextOptions extends FieldOptions {
  min?: number;
  max: number;
  pattern?: RegExp;
  /** What would be right, in words; shown instead of the bare pattern. */
  form?: string;
}

/** Counts as PostgreSQL does; class-validator's `Length` leaves some code points out, and the insert fails. */
const lengthProblem = (value: unknown, min: number, max: number): string | null => {
  const length = typeof value === 'string' ? [...value].length : min;
  return length >= min && length <= max ? null : `must have ${min} to ${max} characters`;
};

/** A string of `min` (1) to `max` characters. */
export const TextField = ({ min = 1, max, pattern, form, ...options }: TextOptions): PropertyDecorator =>
  field(
    options,
    { type: 'string', minLength: min, maxLength: max, ...(pattern && { pattern: pattern.source }) },
    IsString({ message: '$property must be a string' }),
    satisfies('length', (value) => lengthProblem(value, min, max)),
    ...(pattern ? [Matches(pattern, { message: `$property must be ${form ?? `of the form ${pattern.source}`}` })] : []),
  );

interface NumberOptions extends FieldOptions {
  min: number;
  max: number;
}

/** A whole number from `min` to `max`. */
export const IntegerField = ({ min, max, ...options }: NumberOptions): PropertyDecorator => {
  const message = `$property must be a whole number from ${min} to ${max}`;
  return field(
    options,
    { type: 'integer', minimum: min, maximum: max },
    IsInt({ message }),
    Min(min, { message }),
    Max(max, { message }),
  );
};

/** A finite number from `min` to `max`. */
export const NumberField = ({ min, max, ...options }: NumberOptions): PropertyDecorator => {
  const message = `$property must be a number from ${min} to ${max}`;
  return field(
    options,
    { type: 'number', minimum: min, maximum: max },
    IsNumber({ allowNaN: false, allowInfinity: false }, { message }),
    Min(min, { message }),
    Max(max, { message }),
  );
};

export const BooleanField = (options: FieldOptions): PropertyDecorator =>
  field(options, { type: 'boolean' }, IsBoolean({ message: '$property must be true or false' }));

/** One of a fixed list of strings; `name` gives the list its own schema in the OpenAPI document. */
export const ChoiceField = (
  values: readonly string[],
  options: FieldOptions & { name?: string },
): PropertyDecorator => {
  const { name, ...rest } = options;
  const schema = name ? { enum: [...values], enumName: name } : { type: 'string', enum: [...values] };
  return field(rest, schema, IsIn(values, { message: `$property must be one of ${values.join(', ')}` }));
};

interface TextListOptions extends FieldOptions {
  maxItems: number;
  itemMax: number;
  pattern: RegExp;
  form: string;
}

/** A list of distinct strings, each matching `pattern`. */
export const TextListField = ({ maxItems, itemMax, pattern, form, ...options }: TextListOptions): PropertyDecorator =>
  field(
    options,
    {
      type: 'array',
      maxItems,
      uniqueItems: true,
      items: { type: 'string', maxLength: itemMax, pattern: pattern.source },
    },
    IsArray({ message: '$property must be a list' }),
    ArrayMaxSize(maxItems, { message: `$property must have at most ${maxItems} entries` }),
    ArrayUnique({ message: '$property must not repeat an entry' }),
    Length(1, itemMax, { each: true, message: `each entry of $property must have 1 to ${itemMax} characters` }),
    Matches(pattern, { each: true, message: `each entry of $property must be ${form}` }),
  );

/** A list of distinct whole numbers from `min` to `max`. */
export const IntegerListField = ({
  min,
  max,
  maxItems,
  ...options
}: NumberOptions & { maxItems: number }): PropertyDecorator => {
  const message = `each entry of $property must be a whole number from ${min} to ${max}`;
  return field(
    options,
    { type: 'array', maxItems, uniqueItems: true, items: { type: 'integer', minimum: min, maximum: max } },
    IsArray({ message: '$property must be a list' }),
    ArrayMaxSize(maxItems, { message: `$property must have at most ${maxItems} entries` }),
    ArrayUnique({ message: '$property must not repeat an entry' }),
    IsInt({ each: true, message }),
    Min(min, { each: true, message }),
    Max(max, { each: true, message }),
  );
};

interface ObjectOptions extends FieldOptions {
  /** Says what is wrong with the object, or null when nothing is. */
  check: (value: Record<string, unknown>) => string | null;
  schema?: object;
}

/** A JSON object that `check` accepts. */
export const ObjectField = ({ check, schema, ...options }: ObjectOptions): PropertyDecorator =>
  field(
    options,
    { type: 'object', additionalProperties: true, ...schema },
    IsObject({ message: '$property must be an object' }),
    satisfies('objectContent', (value) => (isPlainObject(value) ? check(value) : null)),
  );

/** A check of our own that says in words what is wrong; `context` may name a more precise error code. */
export const satisfies = (
  name: string,
  check: (value: unknown) => string | null,
  options: ValidationOptions = {},
): PropertyDecorator => {
  return (target, property) =>
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: property as string,
      options,
      validator: {
        validate: (value: unknown) => check(value) === null,
        defaultMessage: (context) => `${context?.property} ${check(context?.value) ?? 'is not valid'}`,
      },
    });
};

export const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Query strings carry text only: `"20"` becomes 20; anything that is not a whole number stays as it is and is refused. */
export const fromQueryInteger = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value,
  );

/** Query strings carry text only: `"true"` and `"false"` become booleans. */
export const fromQueryBoolean = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value));

/** A field of an answer: documented, never validated. */
export const AnswerField = (options: ApiPropertyOptions): PropertyDecorator => ApiProperty(options);
