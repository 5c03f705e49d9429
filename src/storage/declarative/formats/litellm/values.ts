import { VARIABLE_NAME } from '../../../../contract/declarative.contract.js';
import type { VariableReference } from '../../document.js';

const REFERENCE = /^os\.environ\/(.+)$/;

/** `os.environ/NAME` as our reference, any other value as it is. */
export const toReference = <Value>(value: Value): Value | VariableReference => {
  const name = typeof value === 'string' ? REFERENCE.exec(value)?.[1] : undefined;
  return name !== undefined && VARIABLE_NAME.test(name) ? { from_env: name } : value;
};

export const isReference = (value: unknown): boolean => typeof value === 'string' && REFERENCE.test(value);

const MILLION = 1_000_000;

/** Dollars per token as dollars per million, to the six decimals that are stored. */
export const perMillion = (perToken: number): number => Math.round(perToken * MILLION * MILLION) / MILLION;

/** What people write where a key must be and none is needed. */
const PLACEHOLDER =
  /^(?:none|null|empty|dummy.*|fake.*|anything|not[-_ ]?(?:needed|required|used)|no[-_ ]?key.*|sk-(?:1234|xxx*|fake.*|dummy.*)|x+)$/i;
const SHORTEST_KEY = 8;

export const isPlaceholder = (key: string): boolean => key.length < SHORTEST_KEY || PLACEHOLDER.test(key);
