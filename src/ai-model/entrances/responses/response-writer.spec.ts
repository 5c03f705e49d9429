import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { accumulateResponse } from 'openai/lib/responses/ResponseAccumulator';
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { AppError } from '../../../platform/errors/app-error.js';
import type { ChatChunk } from '../../calls/dialect.js';
import { ResponsesDialect, ResponsesStream } from './responses.dialect.js';
import type { ResponsesRequest } from './responses-request.js';

type Json = Record<string, unknown>;

const USAGE = {
  prompt_tokens: 11,
  completion_tokens: 7,
  total_tokens: 18,
  prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 },
  completion_tokens_details: { reasoning_tokens: 5 },
};

const delta = (fields: Json, finish: string | null = null): ChatChunk => ({
  choices: [{ index: 0, delta: fields, finish_reason: finish }],
});
const call = (index: number, fields: Json, id?: string): Json => ({ index, ...(id && { id }), function: fields });

const eventsIn = (text: string): ResponseStreamEvent[] =>
  text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => {
      const [, name, data] = /^event: (\S+)\ndata: (.*)$/s.exec(event) ?? [];
      const parsed = JSON.parse(data ?? '') as ResponseStreamEvent;
      expect(parsed.type).toBe(name);
      return parsed;
    });

const request = (fields: Json = {}): ResponsesRequest => ({ model: 'fast', input: 'Hi', ...fields });

const streamOf = (chunks: readonly ChatChunk[], fields: Json = {}): ResponseStreamEvent[] => {
  const stream = new ResponsesStream(request(fields));
  return eventsIn(chunks.map((chunk) => stream.chunk(chunk)).join('') + stream.end());
};

const wholeOf = (answer: Json, fields: Json = {}): Response => {
  const dialect = new ResponsesDialect();
  const incoming = dialect.read(Buffer.from(JSON.stringify(request(fields))));
  expect(incoming.alias).toBe('fast');
  const head = { kind: 'whole', headers: {}, contentType: '', ignored: [], toError: (): never => fail() } as const;
  return JSON.parse(dialect.whole({ ...head, body: Buffer.from('') }, answer).toString()) as Response;
};
const fail = (): never => {
  throw new Error('Nobody asks for this');
};

const lastResponse = (events: readonly ResponseStreamEvent[]): Response => {
  const last = events.at(-1);
  if (!last || !('response' in last)) throw new Error(`No Response in ${String(last?.type)}`);
  return last.response;
};

/** Names differ from one Response to the next, and so does the time. */
const withoutNames = (response: Response): unknown =>
  JSON.parse(JSON.stringify(response, (key, value: unknown) => (/^(id|.*_at)$/.test(key) ? undefined : value)));

const typesOf = (events: readonly ResponseStreamEvent[]): string[] => events.map(({ type }) => type);

describe('a Response', () => {
  it('has all its fields, and the parameters of the request', () => {
    const tools = [{ type: 'function' as const, name: 'f' }];
    const response = wholeOf(
      {
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
        usage: USAGE,
        service_tier: 'default',
      },
      { instructions: 'Be kind', tools, metadata: { a: 'b' }, max_output_tokens: 9, user: 'u' },
    );
    expect(response).toEqual({
      id: expect.stringMatching(/^resp_[0-9a-f]{32}$/),
      object: 'response',
      created_at: expect.any(Number),
      completed_at: expect.any(Number),
      status: 'completed',
      background: false,
      error: null,
      incomplete_details: null,
      instructions: 'Be kind',
      max_output_tokens: 9,
      metadata: { a: 'b' },
      model: 'fast',
      output: [
        {
          id: expect.stringMatching(/^msg_[0-9a-f]{36}$/),
          type: 'message',
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'Hello', annotations: [], logprobs: [] }],
        },
      ],
      parallel_tool_calls: true,
      previous_response_id: null,
      prompt_cache_key: null,
      reasoning: { effort: null, summary: null },
      safety_identifier: null,
      service_tier: 'default',
      store: false,
      temperature: null,
      text: { format: { type: 'text' }, verbosity: null },
      tool_choice: 'auto',
      tools: [{ type: 'function', name: 'f', description: null, parameters: null, strict: null }],
      top_logprobs: 0,
      top_p: null,
      truncation: 'disabled',
      usage: {
        input_tokens: 11,
        input_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 },
        output_tokens: 7,
        output_tokens_details: { reasoning_tokens: 5 },
        total_tokens: 18,
      },
      user: 'u',
    });
  });

  it('has thoughts, words, refusals, citations and calls, in this order', () => {
    const citation = { url: 'https://example.com', title: 'Example', start_index: 0, end_index: 2 };
    const token = { token: 'Hi', bytes: [72, 105], logprob: -0.1, top_logprobs: [] };
    const message = {
      role: 'assistant',
      reasoning_content: 'Hm',
      content: 'Hi',
      refusal: 'But no',
      annotations: [{ type: 'url_citation', url_citation: citation }],
      tool_calls: [
        { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
        { id: 'b', type: 'custom', custom: { name: 'c', input: 'y' } },
      ],
    };
    const response = wholeOf({
      choices: [{ index: 0, message, finish_reason: 'tool_calls', logprobs: { content: [token] } }],
    });
    expect(response.output).toMatchObject([
      { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'Hm' }], encrypted_content: null },
      { type: 'message', content: [{ text: 'Hi', logprobs: [token] }, { type: 'refusal' }, { type: 'output_text' }] },
      { type: 'function_call', call_id: 'a', name: 'f', arguments: '{"x":1}', status: 'completed' },
      { type: 'custom_tool_call', call_id: 'b', name: 'c', input: 'y' },
    ]);
    expect(response.usage).toBeNull();
  });

  it('hands thoughts that are signed or hidden to the client, and takes them back as they were', () => {
    const details = [
      { type: 'reasoning.text', text: 'Hm', signature: 'sig', format: 'anthropic-claude-v1', index: 0 },
      { type: 'reasoning.encrypted', data: 'AAAA', index: 1 },
    ];
    const message = { role: 'assistant', content: 'Hi', reasoning: 'Hm', reasoning_details: details };
    const { output } = wholeOf({ choices: [{ message, finish_reason: 'stop' }] }, { reasoning: { summary: 'auto' } });
    expect(output[0]).toMatchObject({ summary: [{ type: 'summary_text', text: 'Hm' }] });
    const next = new ResponsesDialect().read(Buffer.from(JSON.stringify(request({ input: output }))));
    expect(next.parameters['messages']).toEqual([{ role: 'assistant', content: 'Hi', reasoning_details: details }]);
  });

  it('brings a text and the signature that comes after it together again', () => {
    const events = streamOf([
      delta({ reasoning_content: 'Let ' }),
      delta({ reasoning_content: 'me' }),
      delta({ content: 'Hi' }),
      delta({ reasoning_details: [{ type: 'reasoning.text', index: 0, signature: 'sig' }] }, 'stop'),
    ]);
    const { output } = lastResponse(events);
    const next = new ResponsesDialect().read(Buffer.from(JSON.stringify(request({ input: output }))));
    expect(next.parameters['messages']).toMatchObject([
      { content: 'Hi', reasoning_details: [{ type: 'reasoning.text', text: 'Let me', signature: 'sig' }] },
    ]);
  });
});

describe('a stream of a Response', () => {
  it('has the events of a text', () => {
    const events = streamOf([
      delta({ role: 'assistant', content: '' }),
      delta({ content: 'Hel' }),
      delta({ content: 'lo' }),
      delta({}, 'stop'),
      { choices: [], usage: USAGE },
    ]);
    expect(typesOf(events)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(events.map(({ sequence_number: number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(lastResponse(events).usage).toMatchObject({ input_tokens: 11, output_tokens: 7 });
  });

  it.each([
    ['auto', ['response.reasoning_summary_part.added', 'response.reasoning_summary_text.delta']],
    [null, ['response.content_part.added', 'response.reasoning_text.delta']],
  ])('has thoughts as the caller reads them (reasoning.summary: %s)', (summary, expected) => {
    const events = streamOf([delta({ reasoning: 'Hm' }), delta({ content: 'Hi' }, 'stop')], { reasoning: { summary } });
    expect(typesOf(events).slice(3, 5)).toEqual(expected);
  });

  it('closes a call when it is complete and another one begins, not before', () => {
    const events = streamOf([
      delta({ tool_calls: [call(0, { name: 'f', arguments: '{"a":' }, 'x')] }),
      delta({ tool_calls: [call(1, { name: 'g', arguments: '{}' }, 'y')] }),
      delta({ tool_calls: [call(0, { arguments: '1}' })] }),
      delta({ tool_calls: [call(2, { name: 'h', arguments: '' }, 'z')] }, 'tool_calls'),
    ]);
    const done = events.filter(({ type }) => type === 'response.function_call_arguments.done');
    expect(done).toMatchObject([
      { output_index: 0, arguments: '{"a":1}', name: 'f' },
      { output_index: 1, arguments: '{}', name: 'g' },
      { output_index: 2, arguments: '', name: 'h' },
    ]);
    const third = events.findIndex((event) => event.type === 'response.output_item.added' && event.output_index === 2);
    expect(events.indexOf(done[1] as ResponseStreamEvent)).toBeLessThan(third);
  });

  it('tells calls apart without an index, and gives them an id without one', () => {
    const piece = (fields: Json, id?: string): Json => ({ ...(id && { id }), function: fields });
    const events = streamOf([
      delta({ tool_calls: [piece({ name: 'f', arguments: '{"a"' }, 'x')] }),
      delta({ tool_calls: [piece({ arguments: ':1}' })] }),
      delta({ tool_calls: [piece({ name: 'g', arguments: '{}' }, 'y')] }, 'tool_calls'),
    ]);
    expect(lastResponse(events).output).toMatchObject([
      { call_id: 'x', name: 'f', arguments: '{"a":1}' },
      { call_id: 'y', name: 'g', arguments: '{}' },
    ]);
    const nameless = streamOf([delta({ tool_calls: [call(0, { name: 'f', arguments: '{}' })] }, 'tool_calls')]);
    expect(lastResponse(nameless).output).toMatchObject([{ call_id: expect.stringMatching(/^call_\w{32}$/) }]);
  });

  it('ends as incomplete, with the last item cut', () => {
    const events = streamOf([
      delta({ tool_calls: [call(0, { name: 'f', arguments: '{}' }, 'x')] }),
      delta({ tool_calls: [call(1, { name: 'g', arguments: '{"a' }, 'y')] }, 'length'),
    ]);
    expect(events.at(-1)).toMatchObject({
      type: 'response.incomplete',
      response: { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, completed_at: null },
    });
    expect(lastResponse(events).output).toMatchObject([{ status: 'completed' }, { status: 'incomplete' }]);
  });

  it('tells a failure in a Response, then as an error', () => {
    const stream = new ResponsesStream(request());
    stream.chunk(delta({ content: 'Hel' }));
    const events = eventsIn(stream.error(new AppError('provider_timeout', { detail: 'fast: too slow' })));
    expect(events).toMatchObject([
      {
        type: 'response.failed',
        response: { status: 'failed', error: { code: 'server_error', message: 'fast: too slow' } },
      },
      { type: 'error', code: 'provider_timeout', message: 'fast: too slow', error: { type: 'server_error' } },
    ]);
  });

  it('says nothing of what is no chunk', () => {
    const odd: Json[] = [
      {},
      { choices: null },
      { choices: [null] },
      { choices: [{}] },
      { choices: [{ delta: 5 }] },
      { choices: [{ delta: { content: 5, tool_calls: [null, 5, {}], reasoning_details: [null], annotations: [{}] } }] },
    ];
    const events = streamOf([...odd, delta({ content: 'Hi' }, 'stop')]);
    expect(lastResponse(events).output_text ?? '').toBe('');
    expect(lastResponse(events).output).toMatchObject([{ type: 'message' }, { type: 'function_call', name: '' }]);
  });
});

interface Answer {
  thought: string;
  text: string;
  refusal: string;
  calls: { id: string; name: string; arguments: string }[];
  finish: string;
}

const text = (): fc.Arbitrary<string> => fc.string({ unit: 'grapheme', maxLength: 20 });

const anAnswer = (): fc.Arbitrary<Answer> =>
  fc
    .record({
      thought: text(),
      text: text(),
      refusal: text(),
      calls: fc.array(fc.tuple(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom('f', 'g')), { maxLength: 3 }),
      cut: fc.boolean(),
    })
    .map(({ thought, text: said, refusal, calls, cut }) => ({
      thought,
      text: said,
      refusal,
      calls: calls.map(([value, name], index) => ({ id: `call_${index}`, name, arguments: JSON.stringify({ value }) })),
      finish: cut ? 'length' : 'stop',
    }));

const cutUp = (whole: string, cuts: readonly number[]): string[] => {
  const places = [...new Set(cuts.map((cut) => Math.floor(cut * whole.length)))].sort((a, b) => a - b);
  return [0, ...places].map((place, index) => whole.slice(place, places[index] ?? whole.length));
};

/** The answer in chunks, each text cut at any place, surrogates included. */
const inChunks = (answer: Answer, cuts: readonly number[], interleaved: boolean): ChatChunk[] => {
  const pieces = (name: string, whole: string): ChatChunk[] =>
    cutUp(whole, cuts).map((piece) => delta({ [name]: piece }));
  const perCall = answer.calls.map(({ id, name, arguments: args }, index) => [
    delta({ tool_calls: [call(index, { name, arguments: '' }, id)] }),
    ...cutUp(args, cuts).map((piece) => delta({ tool_calls: [call(index, { arguments: piece })] })),
  ]);
  const longest = Math.max(0, ...perCall.map((chunks) => chunks.length));
  const turns = Array.from({ length: longest }, (_turn, at) => at);
  const inTurns = turns.flatMap((at) => perCall.flatMap((chunks) => chunks.slice(at, at + 1)));
  return [
    ...pieces('reasoning_content', answer.thought),
    ...pieces('content', answer.text),
    ...pieces('refusal', answer.refusal),
    ...(interleaved ? inTurns : perCall.flat()),
    delta({}, answer.finish),
    { choices: [], usage: USAGE },
  ];
};

const asWhole = (answer: Answer): Json => ({
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        reasoning_content: answer.thought,
        content: answer.text,
        refusal: answer.refusal,
        tool_calls: answer.calls.map(({ id, ...called }) => ({ id, type: 'function', function: called })),
      },
      finish_reason: answer.finish,
    },
  ],
  usage: USAGE,
});

describe('however its chunks are cut', () => {
  const cuts = (): fc.Arbitrary<number[]> => fc.array(fc.double({ min: 0, max: 0.99, noNaN: true }), { maxLength: 5 });

  it('a stream ends with the Response that the whole answer is', () => {
    fc.assert(
      fc.property(
        anAnswer(),
        cuts(),
        fc.boolean(),
        fc.constantFrom('auto', null),
        (answer, at, interleaved, summary) => {
          const fields = { reasoning: { summary } };
          const streamed = lastResponse(streamOf(inChunks(answer, at, interleaved), fields));
          expect(withoutNames(streamed)).toEqual(withoutNames(wholeOf(asWhole(answer), fields)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("OpenAI's own client puts the same Response together from the events before the last", () => {
    fc.assert(
      fc.property(
        anAnswer(),
        cuts(),
        fc.boolean(),
        fc.constantFrom('auto', null),
        (answer, at, interleaved, summary) => {
          const events = streamOf(inChunks(answer, at, interleaved), { reasoning: { summary } });
          const built = events
            .slice(0, -1)
            .reduce<Response | undefined>((snapshot, event) => accumulateResponse(event, snapshot), undefined);
          expect(built?.output).toEqual(lastResponse(events).output);
          expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_event, index) => index));
        },
      ),
      { numRuns: 500 },
    );
  });
});
