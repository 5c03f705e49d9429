import { describe, expect, it } from '@jest/globals';
import { aSnapshotModel } from '../../../test/factories/snapshot-model.js';
import type {
  Snapshot,
  SnapshotBudget,
  SnapshotDifference,
  SnapshotPrompt,
  SnapshotPromptVersion,
  SnapshotToken,
} from '../../contract/snapshot.contract.js';
import { DirectoryState } from './directory-state.js';

const aVersion = (version: number): SnapshotPromptVersion => ({
  version,
  prompt_content: `text ${version}`,
  syntax: 'plain',
  variables: [],
  content_sha256: String(version).repeat(64),
});
const aPrompt = (fields: Partial<SnapshotPrompt> = {}): SnapshotPrompt => ({
  id: 'p1',
  name: 'greeting',
  is_active: true,
  is_public: true,
  latest_version: 2,
  labels: { production: 1 },
  versions: [aVersion(1), aVersion(2)],
  ...fields,
});
const aToken = (fields: Partial<SnapshotToken> = {}): SnapshotToken => ({
  id: 't1',
  sha256: 'a'.repeat(64),
  scopes: ['invoke'],
  expires_at: null,
  ...fields,
});
const aBudget = (name: string): SnapshotBudget => ({
  name,
  scope: 'all',
  scope_value: null,
  until: '2999-01-01T00:00:00.000Z',
});
const model = (id: string, alias: string, priority = 0): Snapshot['models'][number] =>
  aSnapshotModel({ id, alias, priority });

const WHOLE: Snapshot = {
  revision: 10,
  models: [model('1', 'one'), model('2', 'two'), model('3', 'three', 5)],
  tokens: [aToken(), aToken({ id: 't2', sha256: 'b'.repeat(64) })],
  prompts: [aPrompt()],
  budgets: [aBudget('spent')],
};
/** As it travels: nothing in it is an object of before. */
const travelled = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;
const aDifference = (fields: Partial<SnapshotDifference> = {}): SnapshotDifference =>
  travelled({
    since: 10,
    revision: 11,
    models: [],
    tokens: [],
    prompts: [],
    budgets: [],
    removed: { models: [], tokens: [], prompts: [] },
    totals: { models: 3, tokens: 2, prompts: 1 },
    ...fields,
  });
const after = (fields: Partial<SnapshotDifference>): DirectoryState => {
  const state = DirectoryState.of(travelled(WHOLE)).with(aDifference(fields));
  if (!state) throw new Error('It does not fit');
  return state;
};
const aliasesOf = (state: DirectoryState): string[] => state.allModels().map(({ alias }) => alias);

describe('a state of the directory and a difference', () => {
  it('takes the budgets of the difference for all there are, and keeps them for the file', () => {
    expect(DirectoryState.of(WHOLE).exhausted?.refusing(undefined)?.name).toBe('spent');
    expect(after({}).exhausted).toBeNull();
    const state = after({ budgets: [aBudget('other')] });
    expect(state.exhausted?.refusing(undefined)?.name).toBe('other');
    expect(state.toSnapshot().budgets).toEqual([aBudget('other')]);
  });

  it('add, change and remove', () => {
    const state = after({
      models: [model('1', 'one', 9), model('4', 'four')],
      tokens: [aToken({ scopes: ['models:read'] })],
      removed: { models: ['2'], tokens: ['t2'], prompts: ['p1'] },
      totals: { models: 3, tokens: 1, prompts: 0 },
    });
    expect(state.revision).toBe(11);
    expect(aliasesOf(state)).toEqual(['one', 'three', 'four']);
    expect([state.model('two'), state.modelById('2'), state.prompt('greeting')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect([...(state.identity('a'.repeat(64))?.scopes ?? [])]).toEqual(['models:read']);
    expect(state.identity('b'.repeat(64))).toBeUndefined();
  });

  it('give an alias up, take it over, and exchange two in one step', () => {
    const renamed = after({ models: [model('1', 'uno')] });
    expect([renamed.model('one'), renamed.model('uno')?.id]).toEqual([undefined, '1']);
    const taken = after({
      models: [model('1', 'two')],
      removed: { models: ['2'], tokens: [], prompts: [] },
      totals: { models: 2, tokens: 2, prompts: 1 },
    });
    expect([taken.model('two')?.id, taken.size]).toEqual(['1', 2]);
    const exchanged = after({ models: [model('1', 'two'), model('2', 'one')] });
    expect([exchanged.model('one')?.id, exchanged.model('two')?.id]).toEqual(['2', '1']);
    const prompt = after({ prompts: [aPrompt({ name: 'welcome' })] });
    expect([prompt.prompt('greeting'), prompt.prompt('welcome')?.id]).toEqual([undefined, 'p1']);
  });

  it('leave the state of before as it was', () => {
    const before = DirectoryState.of(travelled(WHOLE));
    before.with(aDifference({ models: [model('1', 'uno', 99)] }));
    expect(before.toSnapshot()).toEqual(WHOLE);
    expect(aliasesOf(before)).toEqual(['three', 'one', 'two']);
  });

  it('leave what stays equal the same object: what was made of it stays good', () => {
    const before = DirectoryState.of(travelled(WHOLE));
    const identity = before.identity('a'.repeat(64));
    const next = before.with(
      aDifference({
        models: [model('1', 'one'), model('2', 'two', 1)],
        tokens: [aToken()],
        prompts: [aPrompt({ labels: { production: 2 } })],
      }),
    );
    expect(next?.model('one')).toBe(before.model('one'));
    expect(next?.model('three')).toBe(before.model('three'));
    expect(next?.model('two')).toMatchObject({ priority: 1 });
    expect(next?.identity('a'.repeat(64))).toBe(identity);
    expect(next?.prompt('greeting')?.labels).toEqual({ production: 2 });
    const [one, two] = before.prompt('greeting')?.versions ?? [];
    expect(next?.prompt('greeting')?.versions[0]).toBe(one);
    expect(next?.prompt('greeting')?.versions[1]).toBe(two);
  });

  it('do not fit when the revision or the numbers are others, or two have one name', () => {
    const state = DirectoryState.of(travelled(WHOLE));
    expect(state.with(aDifference({ since: 9 }))).toBeNull();
    expect(state.with(aDifference({ totals: { models: 4, tokens: 2, prompts: 1 } }))).toBeNull();
    expect(state.with(aDifference({ totals: { models: 3, tokens: 1, prompts: 1 } }))).toBeNull();
    expect(state.with(aDifference({ totals: { models: 3, tokens: 2, prompts: 0 } }))).toBeNull();
    expect(state.with(aDifference({ models: [model('1', 'two')] }))).toBeNull();
    expect(state.with(aDifference())?.revision).toBe(11);
  });

  it('keep an expired token expired', () => {
    const state = after({ tokens: [aToken({ expires_at: '2020-01-01T00:00:00.000Z' })] });
    expect(state.identity('a'.repeat(64))).toBeNull();
    expect(
      after({ tokens: [aToken({ expires_at: '2999-01-01T00:00:00.000Z' })] }).identity('a'.repeat(64)),
    ).toMatchObject({ tokenId: 't1' });
    expect(after({ tokens: [aToken({ expires_at: 'never ever' })] }).identity('a'.repeat(64))).toBeNull();
  });
});
