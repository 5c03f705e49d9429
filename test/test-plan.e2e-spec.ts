import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, it } from '@jest/globals';

const PLAN = readFileSync('docs/test-plan.md', 'utf8');
const files = ['src', 'test'].flatMap((directory) => readdirSync(directory, { recursive: true, encoding: 'utf8' }));
const names = files.map((path) => basename(path));

/** The names in the second column of the table. */
const stories = PLAN.split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| fault'))
  .flatMap((line) =>
    [...(line.split('|')[2] ?? '').matchAll(/`([a-z*-]+(?:\.spec)?)`/g)].map(([, name]) => String(name)),
  );

const isThere = (story: string): boolean => {
  const pattern = new RegExp(
    `^${story.replaceAll('.', '\\.').replaceAll('*', '.*')}(?:\\.e2e-spec|\\.chaos-spec)?\\.ts$`,
  );
  return names.some((name) => pattern.test(name));
};

it('the test plan names stories that are there', () => {
  expect(new Set(stories).size).toBeGreaterThan(30);
  // What a wire of the proxy does is named like a story.
  expect(stories.filter((story) => story !== 'deaf' && !isThere(story))).toEqual([]);
});

it('every story that breaks things is in the test plan', () => {
  const chaos = readdirSync('test/chaos').map((name) => name.replace('.chaos-spec.ts', ''));
  expect(chaos.filter((name) => !stories.includes(name))).toEqual([]);
});
