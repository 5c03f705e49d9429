import { Ajv, type ErrorObject } from 'ajv';
import { AppError } from '../errors/app-error.js';

/** Throws `validation_failed` naming the first field that is wrong. */
export type BodyCheck = (body: unknown) => void;

const compiler = new Ajv({ strict: false, verbose: true, allErrors: false });
// What is to be said of a value that does not fit, where the schema's own words would not help.
compiler.addKeyword('problem');

/** `/messages/0/content` → `messages[0].content`. */
const fieldOf = ({ instancePath, params }: ErrorObject): string => {
  const steps = instancePath.split('/').slice(1);
  const missing = (params as { missingProperty?: string }).missingProperty;
  if (missing !== undefined) steps.push(missing);
  return steps
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step, index) => (/^\d+$/.test(step) ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
};

/** The innermost `problem` of the schema that was not met, else the schema's own words. */
const problemOf = (error: ErrorObject): string => {
  const parent = error.parentSchema as { problem?: string; properties?: Record<string, { problem?: string }> };
  const missing = (error.params as { missingProperty?: string }).missingProperty;
  const problem = missing === undefined ? parent.problem : parent.properties?.[missing]?.problem;
  return problem ?? (missing === undefined ? (error.message ?? 'is not valid') : 'is required');
};

/**
 * Compiles a JSON schema once; checking is then as cheap as code written for it. For bodies of calls, which are too large
 * and too frequent for classes with decorators.
 */
export const compileBodySchema = (schema: object): BodyCheck => {
  const matches = compiler.compile(schema);
  return (body) => {
    if (matches(body)) return;
    const [error] = matches.errors ?? [];
    if (!error) throw new AppError('validation_failed');
    const param = fieldOf(error);
    throw new AppError('validation_failed', { detail: `${param || 'The body'} ${problemOf(error)}.`, param });
  };
};

/** The schema as the OpenAPI document shows it: without what is ours. */
export const documented = <Schema extends object>(schema: Schema): Schema =>
  JSON.parse(JSON.stringify(schema, (key, value: unknown) => (key === 'problem' ? undefined : value))) as Schema;
