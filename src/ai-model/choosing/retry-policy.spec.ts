import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../platform/errors/app-error.js';
import { ProviderError } from '../providers/provider-error.js';
import { backoffMilliseconds, mayFallBack } from './retry-policy.js';

const server = new ProviderError('server');

describe('the wait before another attempt', () => {
  it('is random up to a bound that doubles, eight seconds at most', () => {
    const bounds = [1, 2, 3, 4, 5, 6, 7, 8].map((attempt) => backoffMilliseconds(attempt, server, () => 1));
    expect(bounds).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
    expect(backoffMilliseconds(5, server, () => 0)).toBe(0);
    expect(backoffMilliseconds(3, server, () => 0.5)).toBe(500);
  });

  it('is what the provider asks for, and a little more so that not all come back at once', () => {
    const limited = new ProviderError('rate_limit', { retryAfterMilliseconds: 50 });
    expect(backoffMilliseconds(1, limited, () => 0)).toBe(50);
    expect(backoffMilliseconds(9, limited, () => 1)).toBeCloseTo(55);
  });

  it('has a floor for a provider that limits without saying for how long', () => {
    expect(backoffMilliseconds(1, new ProviderError('rate_limit'), () => 0)).toBe(250);
  });
});

describe('whether another model may be asked', () => {
  it.each([
    'auth',
    'quota',
    'rate_limit',
    'overloaded',
    'not_found',
    'timeout',
    'network',
    'server',
    'bad_answer',
    'context_too_long',
    'blocked_destination',
    'credential_unavailable',
  ] as const)('yes after %s', (errorClass) => expect(mayFallBack(new ProviderError(errorClass))).toBe(true));
  it.each(['bad_request', 'content_filter', 'client_gone'] as const)('no after %s', (errorClass) =>
    expect(mayFallBack(new ProviderError(errorClass))).toBe(false),
  );
  it('yes when the config is to blame, no when the request is', () => {
    expect(mayFallBack(new AppError('credential_missing'))).toBe(true);
    expect(mayFallBack(new AppError('rate_limit_exceeded'))).toBe(true);
    expect(mayFallBack(new AppError('budget_exceeded'))).toBe(true);
    expect(mayFallBack(new AppError('prompt_variables_invalid'))).toBe(false);
    expect(mayFallBack(new AppError('shutting_down'))).toBe(false);
  });
});
