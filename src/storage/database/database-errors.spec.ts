import { describe, expect, it } from '@jest/globals';
import {
  EntityMetadataNotFoundError,
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
} from 'typeorm';
import { isDatabaseUnavailable, translateDatabaseError } from './database-errors.js';

const withCode = (code: string, fields: object = {}): Error =>
  Object.assign(new Error('SELECT secret'), { code, ...fields });
const ofStatement = (code: string): Error => new QueryFailedError('SELECT secret', [], withCode(code));

describe('a database in trouble', () => {
  const troubles: [string, Error][] = [
    ...['57P01', '57P02', '57P03', '08000', '08006', '53300', '53100', '57014', '58030', '55P03', '25006', '25P03'].map(
      (code): [string, Error] => [code, ofStatement(code)],
    ),
    ['a deadlock', ofStatement('40P01')],
    ['a conflict of transactions', ofStatement('40001')],
    ['a connection that was refused', withCode('ECONNREFUSED', { syscall: 'connect' })],
    ['a connection that broke', withCode('ECONNRESET', { syscall: 'read' })],
    [
      'several addresses, none of which answers',
      new AggregateError([withCode('ECONNREFUSED', { syscall: 'connect' })]),
    ],
    ['no free connection', new Error('timeout exceeded when trying to connect')],
    ['a connection that was not made in time', new Error('Connection terminated due to connection timeout')],
    ['the same, of a client without a pool', new Error('timeout expired')],
    ['a deadline of the client', new QueryFailedError('SELECT secret', [], new Error('Query read timeout'))],
    ['a connection that broke between two statements', new QueryRunnerAlreadyReleasedError()],
    ['the same, asked through the manager', new QueryRunnerProviderAlreadyReleasedError()],
    ['a database that was never there yet', new EntityMetadataNotFoundError('Model')],
  ];

  it.each(troubles)('%s: 503 with Retry-After, and nothing of the statement', (_name, error) => {
    const answer = translateDatabaseError(error);
    expect(answer).toMatchObject({ code: 'storage_unavailable', headers: { 'retry-after': '2' } });
    expect(answer?.message).not.toContain('SELECT');
  });

  it.each([
    ['a wrong statement', ofStatement('42601')],
    ['a broken constraint', ofStatement('23505')],
    ['a file that is missing', withCode('ENOENT', { syscall: 'open' })],
    ['anything else', new Error('x is not a function')],
  ])('%s is another matter', (_name, error) => {
    expect(isDatabaseUnavailable(error)).toBe(false);
    expect(translateDatabaseError(error)).toBeNull();
  });
});
