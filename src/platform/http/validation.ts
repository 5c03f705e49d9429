import { Param, ParseUUIDPipe, type PipeTransform, type Type, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import type { ErrorCode } from '../../contract/error-codes.js';
import { AppError, invalidFields, type FieldProblem } from '../errors/app-error.js';

const sayMissing = ({ property, value }: ValidationError, message: string): string =>
  value === undefined && property !== undefined ? `${property} must be sent` : message;

const problemsOf = (errors: ValidationError[], parent = ''): FieldProblem[] =>
  errors.flatMap((error) => {
    const field = error.property === undefined ? parent : parent + error.property;
    const own = Object.entries(error.constraints ?? {}).map(([name, message]) => ({
      field,
      message: name === 'whitelistValidation' ? `${field} is not known here` : sayMissing(error, message),
    }));
    return [...own, ...problemsOf(error.children ?? [], `${field}.`)];
  });

const preciseCodeOf = (errors: ValidationError[]): ErrorCode | undefined =>
  errors
    .flatMap((error) => Object.values((error.contexts ?? {}) as Record<string, { code?: ErrorCode }>))
    .find((context) => context.code)?.code;

const toAppError = (errors: ValidationError[]): AppError => {
  const fields = problemsOf(errors);
  const code = preciseCodeOf(errors) ?? 'validation_failed';
  return new AppError(code, { detail: fields.map((problem) => problem.message).join('; ') || undefined, fields });
};

/** Refuses what a contract class does not declare, and names every field that is wrong. */
export const createValidationPipe = (): ValidationPipe =>
  new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    // One sentence per field: the first thing that is wrong with it.
    stopAtFirstError: true,
    validationError: { target: false, value: true },
    exceptionFactory: toAppError,
  });

const pipe = createValidationPipe();

/** Validates a value that is no body of its own, by the same class and the same rules. */
export const validateAs = <Contract extends object>(contract: Type<Contract>, value: object): Promise<Contract> =>
  pipe.transform(value, { type: 'body', metatype: contract }) as Promise<Contract>;

/** A path parameter that must be a UUID. */
export const UuidParam = (name: string): ParameterDecorator =>
  Param(
    name,
    new ParseUUIDPipe({ exceptionFactory: () => invalidFields({ field: name, message: `${name} must be a UUID` }) }),
  );

/** A path parameter that must be the number of a version. */
export const VersionParam = (name: string): ParameterDecorator =>
  Param(name, {
    // The validation pipe has made a number of it already, or NaN.
    transform: (value: unknown) => {
      if (/^[1-9]\d{0,8}$/.test(String(value))) return Number(value);
      throw invalidFields({ field: name, message: `${name} must be a whole number from 1 to 999999999` });
    },
  } satisfies PipeTransform);

/** A path parameter of a certain form. */
export const FormParam = (name: string, pattern: RegExp, form: string): ParameterDecorator =>
  Param(name, {
    transform: (value: unknown) => {
      if (typeof value === 'string' && pattern.test(value)) return value;
      throw invalidFields({ field: name, message: `${name} must be ${form}` });
    },
  } satisfies PipeTransform);
