import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { weighJsonString, weighText } from '../../../platform/text/text-weight.js';
import { estimateUsage, findUsage, usageFromAnswer } from './usage.js';

describe('usageFromAnswer', () => {
  it('reads all four counts', () => {
    const usage = {
      prompt_tokens: 100,
      completion_tokens: 50,
      total_tokens: 150,
      prompt_tokens_details: { cached_tokens: 60 },
      completion_tokens_details: { reasoning_tokens: 20 },
    };
    expect(usageFromAnswer(usage)).toEqual({
      inputTokens: 100,
      cachedTokens: 60,
      outputTokens: 50,
      reasoningTokens: 20,
      estimated: false,
    });
  });

  it('counts reasoning that stands beside the output, as only the sum can tell', () => {
    const usage = { prompt_tokens: 32, completion_tokens: 9, completion_tokens_details: { reasoning_tokens: 94 } };
    const beside = usageFromAnswer({ ...usage, total_tokens: 135 });
    expect(beside).toMatchObject({ inputTokens: 32, outputTokens: 103, reasoningTokens: 94 });
    expect(usageFromAnswer({ ...usage, total_tokens: 41 })).toMatchObject({ outputTokens: 9, reasoningTokens: 9 });
  });

  it.each([{ prompt_cache_hit_tokens: 6 }, { cached_tokens: 6 }, { prompt_tokens_details: { cached_tokens: 6 } }])(
    'finds cached tokens in %j',
    (fields) => {
      expect(usageFromAnswer({ prompt_tokens: 8, completion_tokens: 1, ...fields })).toMatchObject({ cachedTokens: 6 });
    },
  );

  it.each([
    { usage: { prompt_tokens: 1 } },
    { choices: [{}], x_groq: { id: 'r', usage: { prompt_tokens: 1 } } },
    { choices: [{ index: 0, usage: { prompt_tokens: 1 } }], usage: null },
  ])('finds the usage in %j', (answer) => {
    expect(findUsage(answer)).toEqual({ prompt_tokens: 1 });
  });

  it.each([null, {}, [], 'usage', { choices: [] }, { choices: 'x', x_groq: null }])('finds none in %j', (answer) => {
    expect(findUsage(answer)).toBeUndefined();
  });

  it('takes an embedding, which has no completion', () => {
    expect(usageFromAnswer({ prompt_tokens: 8, total_tokens: 8 })).toMatchObject({ inputTokens: 8, outputTokens: 0 });
  });

  it.each([null, undefined, 'x', 7, [], {}, { prompt_tokens: '5' }, { prompt_tokens: -1, completion_tokens: 1e300 }])(
    'finds nothing in %j',
    (usage) => {
      expect(usageFromAnswer(usage)).toBeNull();
    },
  );

  it('treats a value that is no count as missing, and a part never exceeds its whole', () => {
    const usage = {
      prompt_tokens: 3,
      completion_tokens: 1.5,
      prompt_tokens_details: { cached_tokens: 9 },
      completion_tokens_details: null,
    };
    expect(usageFromAnswer(usage)).toMatchObject({
      inputTokens: 3,
      cachedTokens: 3,
      outputTokens: 0,
      reasoningTokens: 0,
    });
  });

  it('gives sound counts or nothing for any value', () => {
    const number = fc.oneof(fc.double(), fc.integer(), fc.anything());
    const usage = fc.record({ prompt_tokens: number, completion_tokens: number, prompt_tokens_details: fc.anything() });
    fc.assert(
      fc.property(fc.oneof(usage, fc.anything()), (value) => {
        const { estimated: _, ...counts } = usageFromAnswer(value) ?? { estimated: false };
        expect(Object.values(counts).every((count) => Number.isSafeInteger(count) && count >= 0)).toBe(true);
      }),
    );
  });
});

describe('estimateUsage', () => {
  it('counts text parts only, four characters a token, a CJK character one', () => {
    const messages = [
      { role: 'system', content: 'a'.repeat(40) },
      {
        role: 'user',
        content: [
          { type: 'text', text: '世界世界' },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(4000)}` } },
        ],
      },
      { role: 'assistant', content: null },
    ];
    expect(estimateUsage(messages, 10)).toEqual({
      inputTokens: 14,
      cachedTokens: 0,
      outputTokens: 3,
      reasoningTokens: 0,
      estimated: true,
    });
  });

  it.each([null, 'x', [null, 1, { content: [null, { type: 'text', text: 5 }] }]])('survives %j', (messages) => {
    expect(estimateUsage(messages, Number.NaN)).toMatchObject({ inputTokens: 0, outputTokens: 0, estimated: true });
  });
});

describe('weighJsonString', () => {
  it('weighs a text in JSON as the text itself, escaped or not', () => {
    const escapeAll = (json: string): string =>
      json.replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = JSON.stringify(text);
        for (const written of [json, escapeAll(json)]) {
          const latin1 = Buffer.from(`${written}, "more"`).toString('latin1');
          expect(weighJsonString(latin1, 1)).toBe(weighText(text));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
