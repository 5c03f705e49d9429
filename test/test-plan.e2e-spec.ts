// The map of faults and goals names files and tests: they are there, and no row is empty.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const ROOT = new URL('../', import.meta.url);
const FAULTS = 41;
const GOALS =
  'R1 R1b R1c R2 R2b R3 R3c R3d R3e R3f R4 R4b R5 R6 R7 R8 R8b R9 R10 R11 R12 R12b R13 S1 S2 S3 S4 S5 S6 S7 S8 S9';
const REFERENCE = /`((?:test|src)\/[\w./-]+\.ts)`(?: “([^”]+)”)?/g;

const plan = readFileSync(new URL('docs/test-plan.md', ROOT), 'utf8');
const references = [...plan.matchAll(REFERENCE)].map(([, file = '', name = '']) => ({ file, name }));

const rows = (pattern: RegExp): { id: string; shownBy: string }[] =>
  plan
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, id = '']) => pattern.test(id))
    .map(([, id = '', , shownBy = '']) => ({ id, shownBy }));

describe('the test plan', () => {
  it('names files that are there, and tests that are in them', () => {
    const missing = references.filter(
      ({ file, name }) => !existsSync(new URL(file, ROOT)) || !readFileSync(new URL(file, ROOT), 'utf8').includes(name),
    );
    expect(missing).toEqual([]);
    expect(references.length).toBeGreaterThan(FAULTS);
  });

  it('names every story that takes minutes', () => {
    const stories = readdirSync(new URL('test/chaos/', ROOT)).map((name) => `test/chaos/${name}`);
    expect(stories.filter((story) => !references.some(({ file }) => file === story))).toEqual([]);
  });

  it('has every fault and every goal, each with a test, a row or a reason', () => {
    const faults = rows(/^\d+$/);
    const goals = rows(/^[RS]\d+\w?$/);
    expect(faults.map(({ id }) => Number(id))).toEqual(Array.from({ length: FAULTS }, (_, index) => index + 1));
    expect(goals.map(({ id }) => id)).toEqual(GOALS.split(' '));
    const empty = [...faults, ...goals].filter(({ shownBy }) => !/`|^rows? \d|^not built|^reviewed/.test(shownBy));
    expect(empty).toEqual([]);
  });
});
