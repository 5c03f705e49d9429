import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../../platform/errors/app-error.js';
import { readResponsesRequest } from './responses-reader.js';

type Json = Record<string, unknown>;

const PIXEL = 'data:image/png;base64,iVBORw0KGgo=';

const read = (fields: Json): ReturnType<typeof readResponsesRequest> =>
  readResponsesRequest(Buffer.from(JSON.stringify({ model: 'fast', input: 'Hi', ...fields })));

/** What the provider is asked, beside the model. */
const parametersOf = (fields: Json): Json => {
  const { call } = read(fields);
  expect(JSON.parse(call.body.toString())).toEqual(call.parameters);
  const { model, ...others } = call.parameters;
  expect(model).toBe('fast');
  return others;
};
const messagesOf = (input: unknown, fields: Json = {}): unknown => parametersOf({ input, ...fields })['messages'];
const ignoredOf = (fields: Json): readonly string[] => read(fields).call.ignored;
const refusalOf = (fields: Json): Pick<AppError, 'code' | 'param' | 'detail'> => {
  try {
    read(fields);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('It was not refused');
};
const inMessage = (part: Json): Json => ({ input: [{ role: 'user', content: [part] }] });

describe('a Responses request as a chat request', () => {
  it('is the least there can be', () => {
    const { call } = read({});
    expect(call).toMatchObject({
      alias: 'fast',
      operation: 'chat',
      stream: false,
      isTranslated: true,
      wantsUsage: true,
    });
    expect(parametersOf({})).toEqual({ messages: [{ role: 'user', content: 'Hi' }] });
    expect(read({ stream: true }).call.stream).toBe(true);
  });

  it('has what is called the same, and what is called otherwise', () => {
    const same = {
      temperature: 0.1,
      top_p: 0.9,
      parallel_tool_calls: false,
      service_tier: 'flex',
      user: 'u',
      safety_identifier: 's',
      prompt_cache_key: 'k',
    };
    const renamed = {
      max_output_tokens: 99,
      text: { verbosity: 'low' },
      reasoning: { effort: 'high', summary: 'auto' },
      top_logprobs: 3,
    };
    expect(parametersOf({ ...same, ...renamed, stream: true })).toEqual({
      messages: [{ role: 'user', content: 'Hi' }],
      ...same,
      max_completion_tokens: 99,
      verbosity: 'low',
      reasoning_effort: 'high',
      logprobs: true,
      top_logprobs: 3,
      stream: true,
    });
  });

  it('leaves out what is null, what only the answer has a use for, and keeps what is not known', () => {
    const nothing = { temperature: null, tools: null, text: null, reasoning: null, metadata: null, include: null };
    const forTheAnswer = { metadata: { a: 'b' }, truncation: 'disabled', store: false };
    expect(Object.keys(parametersOf({ ...nothing, ...forTheAnswer, seed: 7, top_k: 4 })).sort()).toEqual([
      'messages',
      'seed',
      'top_k',
    ]);
    expect(ignoredOf({ ...nothing, ...forTheAnswer })).toEqual([]);
  });

  it('tells what is ignored', () => {
    expect(
      ignoredOf({
        store: true,
        truncation: 'auto',
        include: ['file_search_call.results', 'reasoning.encrypted_content'],
        context_management: [{ type: 'compaction' }],
        max_tool_calls: 2,
        stream_options: { include_obfuscation: true },
        reasoning: { context: 'all_turns', mode: 'pro' },
      }),
    ).toEqual([
      'context_management',
      'max_tool_calls',
      'store',
      'truncation',
      'include',
      'stream_options.include_obfuscation',
      'reasoning.mode',
      'reasoning.context',
    ]);
    expect(ignoredOf(inMessage({ type: 'input_image', image_url: PIXEL, detail: 'original' }))).toEqual([
      'input_image.detail',
    ]);
  });

  it.each([
    [{ type: 'text' }, undefined],
    [{ type: 'json_object' }, { type: 'json_object' }],
    [
      { type: 'json_schema', name: 'p', schema: { type: 'object' }, strict: true, description: null },
      { type: 'json_schema', json_schema: { name: 'p', schema: { type: 'object' }, strict: true } },
    ],
  ])('has the format %j', (format, expected) => {
    expect(parametersOf({ text: { format } })['response_format']).toEqual(expected);
  });

  it('has tools and the choice of them', () => {
    const parameters = { type: 'object', properties: {} };
    const tools = [
      { type: 'function', name: 'f', description: 'd', parameters, strict: true },
      { type: 'function', name: 'g', description: null, parameters: null, strict: null },
      { type: 'custom', name: 'c', format: { type: 'grammar', syntax: 'lark', definition: 'start: "a"' } },
    ];
    expect(parametersOf({ tools })['tools']).toEqual([
      { type: 'function', function: { name: 'f', description: 'd', parameters, strict: true } },
      { type: 'function', function: { name: 'g' } },
      {
        type: 'custom',
        custom: { name: 'c', format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "a"' } } },
      },
    ]);
    const choiceOf = (choice: unknown): unknown => parametersOf({ tools, tool_choice: choice })['tool_choice'];
    expect(choiceOf('required')).toBe('required');
    expect(choiceOf({ type: 'function', name: 'f' })).toEqual({ type: 'function', function: { name: 'f' } });
    expect(choiceOf({ type: 'custom', name: 'c' })).toEqual({ type: 'custom', custom: { name: 'c' } });
    const allowed = { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'f' }] };
    expect(choiceOf(allowed)).toEqual({
      type: 'allowed_tools',
      allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'f' } }] },
    });
  });
});

describe('the input', () => {
  it('has instructions first, and messages in both forms', () => {
    const input = [
      { role: 'developer', content: 'Short' },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] },
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: 'Hello', annotations: [] }],
      },
      { role: 'assistant', content: [{ type: 'refusal', refusal: 'No' }] },
      { role: 'system', content: 'Be kind' },
    ];
    expect(messagesOf(input, { instructions: 'First' })).toEqual([
      { role: 'system', content: 'First' },
      { role: 'system', content: 'Short' },
      { role: 'user', content: 'Hi' },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'Hello' },
          { type: 'text', text: 'No' },
        ],
      },
      { role: 'system', content: 'Be kind' },
    ]);
  });

  it('has pictures, files and sounds', () => {
    const pdf = 'data:application/pdf;base64,JVBERi0=';
    const cache = { mode: 'explicit' };
    const content = [
      { type: 'input_text', text: 'What?', prompt_cache_breakpoint: cache },
      { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'high' },
      { type: 'input_image', image_url: PIXEL, file_id: null },
      { type: 'input_file', file_data: pdf, filename: 'a.pdf' },
      { type: 'input_file', file_url: 'https://example.com/a.pdf' },
      { type: 'input_file', file_id: 'file-1' },
      { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
    ];
    expect(messagesOf([{ role: 'user', content }])).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What?', prompt_cache_breakpoint: cache },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'high' } },
          { type: 'image_url', image_url: { url: PIXEL } },
          { type: 'file', file: { file_data: pdf, filename: 'a.pdf' } },
          { type: 'file', file: { file_url: 'https://example.com/a.pdf' } },
          { type: 'file', file: { file_id: 'file-1' } },
          { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
        ],
      },
    ]);
  });

  it('has thoughts, words and calls of one turn in one message, and each output after it', () => {
    const input = [
      { role: 'user', content: 'Hi' },
      { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'Hm' }] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Wait' }] },
      { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}', extra_content: { google: 1 } },
      { type: 'custom_tool_call', call_id: 'b', name: 'c', input: 'x' },
      { type: 'function_call_output', call_id: 'a', output: '1' },
      { type: 'custom_tool_call_output', call_id: 'b', output: [{ type: 'input_text', text: '2' }] },
      { type: 'function_call', call_id: 'd', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'd', output: '3' },
    ];
    expect(messagesOf(input)).toEqual([
      { role: 'user', content: 'Hi' },
      {
        role: 'assistant',
        content: 'Wait',
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' }, extra_content: { google: 1 } },
          { id: 'b', type: 'custom', custom: { name: 'c', input: 'x' } },
        ],
        reasoning_details: [{ type: 'reasoning.text', text: 'Hm' }],
      },
      { role: 'tool', tool_call_id: 'a', content: '1' },
      { role: 'tool', tool_call_id: 'b', content: '2' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'd', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'd', content: '3' },
    ]);
  });

  it('has the pictures that tools gave in a message behind the last output', () => {
    const call = (id: string): Json => ({ type: 'function_call', call_id: id, name: 'f', arguments: '{}' });
    const output = (id: string, parts: unknown): Json => ({ type: 'function_call_output', call_id: id, output: parts });
    const image = { type: 'input_image', image_url: PIXEL };
    expect(messagesOf([call('a'), call('b'), output('a', [image]), output('b', 'text')])).toMatchObject([
      { role: 'assistant' },
      { role: 'tool', tool_call_id: 'a', content: 'See the attachments below.' },
      { role: 'tool', tool_call_id: 'b', content: 'text' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Output of the tool call a:' },
          { type: 'image_url', image_url: { url: PIXEL } },
        ],
      },
    ]);
  });

  it('drops thoughts that led to nothing', () => {
    const thought = { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }] };
    expect(messagesOf([{ role: 'user', content: 'Hi' }, thought])).toEqual([{ role: 'user', content: 'Hi' }]);
    expect(refusalOf({ input: [thought] })).toMatchObject({ code: 'validation_failed', param: 'input' });
  });

  it('hands on what another maker has sealed', () => {
    const input = [
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAA' },
      { role: 'assistant', content: 'Hi' },
    ];
    expect(messagesOf(input)).toMatchObject([
      { reasoning_details: [{ type: 'reasoning.encrypted', data: 'gAAAA', id: 'rs_1' }] },
    ]);
  });

  it('takes nothing apart that only looks as if the hub had sealed it', () => {
    const deep = `reasoning_details.${Buffer.from('['.repeat(40_000)).toString('base64url')}`;
    for (const sealed of [deep, 'reasoning_details.', `reasoning_details.${Buffer.from('{}').toString('base64url')}`]) {
      const input = [
        { type: 'reasoning', summary: [], encrypted_content: sealed },
        { role: 'assistant', content: 'Hi' },
      ];
      expect(messagesOf(input)).toMatchObject([{ reasoning_details: [{ type: 'reasoning.encrypted', data: sealed }] }]);
    }
  });
});

describe('what is refused', () => {
  it.each<[string, Json]>([
    ['input', { input: [] }],
    ['input', { input: 5 }],
    ['input[0]', { input: ['Hi'] }],
    ['input[0].role', { input: [{ content: 'Hi' }] }],
    ['input[0].content', { input: [{ role: 'user' }] }],
    ['input[0].content[0].text', inMessage({ type: 'input_text' })],
    ['input[0].content[0].type', inMessage({ text: 'Hi' })],
    ['input[0].content[0].image_url', inMessage({ type: 'input_image' })],
    ['input[0].content[0].image_url', inMessage({ type: 'input_image', image_url: 'file:///etc/passwd' })],
    [
      'input[0].content[0].image_url',
      inMessage({ type: 'input_image', image_url: `data:image/png${';'.repeat(200)}` }),
    ],
    ['input[0].content[0].detail', inMessage({ type: 'input_image', image_url: PIXEL, detail: 'huge' })],
    ['input[0].content[0].file_data', inMessage({ type: 'input_file' })],
    ['input[0].content[0].file_data', inMessage({ type: 'input_file', file_data: 'JVBERi0=' })],
    ['input[0].content[0].file_url', inMessage({ type: 'input_file', file_url: 'ftp://example.com/a.pdf' })],
    ['input[0].content[0].input_audio.format', inMessage({ type: 'input_audio', input_audio: { data: 'AAAA' } })],
    ['input[0].arguments', { input: [{ type: 'function_call', call_id: 'a', name: 'f' }] }],
    [
      'input[0].content[0].type',
      { input: [{ role: 'assistant', content: [{ type: 'input_image', image_url: PIXEL }] }] },
    ],
    ['tools[1].name', { tools: [{ type: 'function', name: 'f' }, { type: 'function' }] }],
    ['tool_choice.name', { tool_choice: { type: 'function' } }],
    ['text.format.schema', { text: { format: { type: 'json_schema', name: 'p' } } }],
    ['text.format.type', { text: { format: { type: 'xml' } } }],
    ['max_output_tokens', { max_output_tokens: 0 }],
    ['metadata.a', { metadata: { a: 1 } }],
    ['response_format', { response_format: { type: 'json_object' } }],
  ])('names %s', (param, fields) => {
    const refusal = refusalOf(fields);
    expect(refusal).toMatchObject({ code: 'validation_failed', param });
    expect(refusal.detail.startsWith(param)).toBe(true);
  });

  it.each<[string, Json]>([
    ['tools[0].type', { tools: [{ type: 'mcp', server_label: 's' }] }],
    ['tool_choice.type', { tool_choice: { type: 'file_search' } }],
    ['tool_choice.tools[0].type', { tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'mcp' }] } }],
    ['input[0].content[0].type', inMessage({ type: 'input_video' })],
    ['input[0].content[0].file_id', inMessage({ type: 'input_image', file_id: 'file-1' })],
    ['input[0].type', { input: [{ type: 'web_search_call', id: 'ws_1' }] }],
    ['moderation', { moderation: { model: 'm' } }],
    ['n', { n: 2 }],
  ])('says that %s cannot be had', (param, fields) => {
    expect(refusalOf(fields)).toMatchObject({ code: 'parameter_not_supported', param });
  });

  it('is no other member in disguise', () => {
    const sent = '{"model":"fast","input":"Hi","messages":null,"__proto__":{"stream":true,"temperature":9}}';
    const { call } = readResponsesRequest(Buffer.from(sent));
    expect(call.stream).toBe(false);
    expect(call.parameters['temperature']).toBeUndefined();
    expect(call.parameters['messages']).toEqual([{ role: 'user', content: 'Hi' }]);
  });
});
