import { describe, expect, it } from '@jest/globals';
import { languageOf } from './accept-language.js';

describe('the language of an answer', () => {
  it.each([
    [undefined, 'en'],
    ['', 'en'],
    ['zh-CN', 'zh-CN'],
    ['zh', 'zh-CN'],
    ['ZH-hant-TW', 'zh-CN'],
    ['zh-CN,zh;q=0.9,en;q=0.8', 'zh-CN'],
    ['en-GB,en;q=0.9,zh;q=0.8', 'en'],
    ['en;q=0.3, zh-CN;q=0.7', 'zh-CN'],
    ['fr-FR, zh;q=0.5', 'zh-CN'],
    ['fr-FR', 'en'],
    ['zh;q=0, en;q=0.1', 'en'],
    ['zh;q=0', 'en'],
    ['*', 'en'],
    ['zhuang', 'en'],
    ['zh;q=2', 'en'],
    [',;;q=,zh-CN', 'zh-CN'],
    [`${'de,'.repeat(1000)}zh`, 'en'],
  ])('of %j is %s', (header, language) => {
    expect(languageOf(header)).toBe(language);
  });
});
