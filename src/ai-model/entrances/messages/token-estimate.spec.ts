import { describe, expect, it } from '@jest/globals';
import { estimateTokens } from './token-estimate.js';

const EIGHT = 'x'.repeat(32);

describe('the estimate of a request', () => {
  it.each([
    [{}, 0],
    [{ messages: [{ role: 'user', content: EIGHT }] }, 8],
    [{ messages: [{ role: 'user', content: '汉字汉字' }] }, 4],
    [
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: EIGHT },
              { type: 'text', text: EIGHT },
            ],
          },
        ],
      },
      16,
    ],
    [{ messages: [{ role: 'assistant', reasoning_details: [{ type: 'reasoning.text', text: EIGHT }] }] }, 8],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: `data:,${EIGHT}` } }] }] }, 0],
    [{ messages: [{ role: 'assistant', tool_calls: [{ function: { name: 'look', arguments: EIGHT } }] }] }, 16],
    [{ tools: [{ type: 'function' }] }, 6],
  ])('of %j is %d', (parameters, expected) => {
    expect(estimateTokens(parameters)).toBe(expected);
  });
});
