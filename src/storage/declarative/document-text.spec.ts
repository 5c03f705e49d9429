import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { yamlToJson } from '../../platform/yaml/read-yaml.js';
import { DOCUMENT_KIND, DOCUMENT_VERSION, type HubDocument } from './document.js';
import { writeDocument } from './document-text.js';

const aDocument = (...models: object[]): HubDocument => ({ version: DOCUMENT_VERSION, kind: DOCUMENT_KIND, models });
const readYaml = async (text: string): Promise<unknown> => JSON.parse(await yamlToJson(text, 100_000_000));

const ODD_TEXTS = [
  '',
  ' ',
  '\n',
  '\n\n',
  'a\n',
  'a\n\n\n',
  '\na',
  '  a\nb',
  'a\n  b\n',
  'a \nb\t\n',
  'a\n \nb',
  'a\r\nb\r',
  '\ta\nb',
  'a\u2028b\nc',
  'a\u0085b\nc',
  '\ufeffa\nb',
  'a\u0000b'.replace('\u0000', '\u0001'),
  '"quoted"\n# not a comment',
  '# nor this',
  'key: value\n- item',
  '---\n...\n',
  '...',
  '--- |',
  'yes',
  'NO',
  'on',
  'null',
  '~',
  '010',
  '0x1f',
  '1e3',
  '1_000',
  '12:30:45',
  '2024-10-21',
  '.inf',
  '<<',
  '=',
  '!tag',
  '&anchor',
  '*alias',
  '%directive',
  '@at `tick',
  '{flow: [1, 2]}',
  'ends with colon:',
  "it's",
  '你好，世界\n第二行',
  '🚀\n🚀',
  'x'.repeat(500),
  `${'long word '.repeat(60)}\nshort`,
];

describe('writeDocument', () => {
  it('puts the fields in the order they come, lists at the margin, and texts of several lines in blocks', async () => {
    const text = await writeDocument(
      aDocument({ alias: 'fast', description: 'one\n  two\n', tags: {}, list: ['a', 'b'], none: null, on: true }),
      'yaml',
    );
    expect(text).toBe(
      [
        'version: 1',
        'kind: ai-model-hub',
        'models:',
        '- alias: fast',
        '  description: |',
        '    one',
        '      two',
        '  tags: {}',
        '  list:',
        '  - a',
        '  - b',
        '  none: null',
        '  on: true',
        '',
      ].join('\n'),
    );
    expect(await writeDocument(aDocument({ alias: 'fast' }), 'json')).toBe(
      '{\n  "version": 1,\n  "kind": "ai-model-hub",\n  "models": [\n    {\n      "alias": "fast"\n    }\n  ]\n}\n',
    );
  });

  it('is read back to the letter, whatever the texts', async () => {
    const document = aDocument(...ODD_TEXTS.map((text) => ({ text, nested: { [text || 'empty']: [text] } })));
    expect(await readYaml(await writeDocument(document, 'yaml'))).toEqual(document);
  });

  it('is read back to the letter, whatever the values', async () => {
    const texts = fc.oneof(
      fc.constantFrom(...ODD_TEXTS),
      fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.toWellFormed().replaceAll('\0', '')),
      fc
        .array(fc.constantFrom(...'ab \n\t:-#"\'|>&*!%@`{}[],?\r\u2028你🚀'), { maxLength: 12 })
        .map((all) => all.join('')),
    );
    const values = fc.oneof(texts, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.boolean());
    const models = fc.array(fc.dictionary(texts, fc.oneof(values, fc.array(values), fc.constant(null))), {
      maxLength: 100,
      minLength: 50,
    });
    await fc.assert(
      fc.asyncProperty(models, async (entries) => {
        // What JSON cannot say, such as -0, no export says either.
        const document = JSON.parse(JSON.stringify(aDocument(...entries))) as HubDocument;
        const text = await writeDocument(document, 'yaml');
        expect(JSON.stringify(await readYaml(text))).toBe(JSON.stringify(document));
      }),
      { numRuns: 15 },
    );
  });

  it('writes the same values without anchors', async () => {
    const shared = ['a', 'b'];
    const text = await writeDocument(aDocument({ one: shared, other: shared }), 'yaml');
    expect(text).not.toMatch(/[&*]/);
  });

  it('gives other requests their turn', async () => {
    const models = Array.from({ length: 3000 }, (_, index) => ({
      alias: `model-${index}`,
      tags: { a: 'b' },
      list: [1],
    }));
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    await writeDocument(aDocument(...models), 'yaml');
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });
});
