import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../../platform/errors/app-error.js';
import { readCountRequest, readMessagesRequest, type ReadRequest } from './messages-reader.js';

type Json = Record<string, unknown>;

const MINIMAL = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] };
const CALL = { type: 'tool_use', id: 'a', name: 'look', input: { n: 1 } };
const TOOL = { name: 'look', input_schema: { type: 'object' } };
const MARK = { type: 'ephemeral', ttl: '1h' };

const bytes = (body: unknown): Buffer => Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
const read = (fields: Json): ReadRequest => readMessagesRequest(bytes({ ...MINIMAL, ...fields }));
const parametersOf = (fields: Json): Json => read(fields).call.parameters;
const messagesOf = (...messages: unknown[]): unknown => parametersOf({ messages })['messages'];
const said = (...content: unknown[]): unknown => messagesOf({ role: 'user', content });
const ignoredOf = (fields: Json): readonly string[] => read(fields).call.ignored;
const refusalOf = (work: () => unknown): unknown[] => {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError) return [error.code, error.param];
    throw error;
  }
  return [];
};

describe("a request of Anthropic's", () => {
  it('is the least that a chat needs', () => {
    const { call } = read({});
    expect(call.parameters).toEqual({ model: 'm', messages: [{ role: 'user', content: 'hi' }], max_tokens: 10 });
    expect(JSON.parse(call.body.toString('utf8'))).toEqual(call.parameters);
    expect(call).toMatchObject({ operation: 'chat', alias: 'm', stream: false, isTranslated: true, wantsUsage: true });
    expect(call).toMatchObject({ prompt: null, ignored: [] });
  });

  it('asks for nothing with null', () => {
    const names = ['system', 'stop_sequences', 'stream', 'top_p', 'top_k', 'tools', 'tool_choice', 'thinking'];
    const more = ['output_config', 'output_format', 'metadata', 'cache_control', 'container', 'speed', 'invented'];
    const nothing = Object.fromEntries(
      [...names, ...more, 'temperature', 'prompt_template'].map((name) => [name, null]),
    );
    expect(read(nothing).call).toEqual(read({}).call);
    expect(parametersOf({ system: '', stop_sequences: [], tools: [], stream: false })).toEqual(
      read({}).call.parameters,
    );
  });

  it('streams', () => {
    const { call } = read({ stream: true });
    expect([call.stream, call.parameters['stream']]).toEqual([true, true]);
  });

  describe('has messages', () => {
    it('of text, a single one as text', () => {
      expect(said({ type: 'text', text: 'a' })).toEqual([{ role: 'user', content: 'a' }]);
      expect(said({ type: 'text', text: 'a' }, { type: 'text', text: 'b' })).toEqual([
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ]);
      expect(said()).toEqual([{ role: 'user', content: '' }]);
    });

    it('of the system, in front and in between', () => {
      const messages = [
        { role: 'user', content: 'a' },
        { role: 'system', content: [{ type: 'text', text: 'now rhyme' }] },
      ];
      expect(parametersOf({ system: 'be brief', messages })['messages']).toEqual([
        { role: 'system', content: 'be brief' },
        { role: 'user', content: 'a' },
        { role: 'system', content: 'now rhyme' },
      ]);
    });

    it('with pictures', () => {
      const base64 = { type: 'base64', media_type: 'image/png', data: 'aGk=' };
      expect(
        said({ type: 'image', source: base64 }, { type: 'image', source: { type: 'url', url: 'https://x/a' } }),
      ).toEqual([
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
            { type: 'image_url', image_url: { url: 'https://x/a' } },
          ],
        },
      ]);
    });

    it.each([
      [
        { type: 'base64', media_type: 'application/pdf', data: 'aGk=' },
        [
          { type: 'text', text: 'c' },
          { type: 'file', file: { filename: 't', file_data: 'data:application/pdf;base64,aGk=' } },
        ],
      ],
      [
        { type: 'url', url: 'https://x/a.pdf' },
        [
          { type: 'text', text: 'c' },
          { type: 'file', file: { filename: 't', file_data: 'https://x/a.pdf' } },
        ],
      ],
      [{ type: 'text', media_type: 'text/plain', data: 'd' }, 't\n\nc\n\nd'],
      [{ type: 'content', content: 'd' }, 't\n\nc\n\nd'],
      [
        { type: 'content', content: [{ type: 'text', text: 'd' }] },
        [
          { type: 'text', text: 't\n\nc' },
          { type: 'text', text: 'd' },
        ],
      ],
    ])('with a document from %j', (source, content) => {
      expect(said({ type: 'document', source, title: 't', context: 'c' })).toEqual([{ role: 'user', content }]);
    });

    it('with what was found', () => {
      const content = [{ type: 'text', text: 'c' }];
      expect(said({ type: 'search_result', title: 't', source: 's', content })).toEqual([
        { role: 'user', content: 't\n\ns\n\nc' },
      ]);
    });

    it('with calls of tools and their results, which come first', () => {
      const result = { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: 'r' }] };
      const messages = [
        { role: 'assistant', content: [CALL] },
        { role: 'user', content: [{ type: 'text', text: 'and' }, result] },
        { role: 'assistant', content: [{ ...CALL, id: 'b', input: undefined, extra_content: { x: 1 } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'b', is_error: true }] },
      ];
      const call = (id: string, args: string, more: Json = {}): Json => ({
        role: 'assistant',
        content: null,
        tool_calls: [{ id, type: 'function', function: { name: 'look', arguments: args }, ...more }],
      });
      expect(messagesOf(...messages)).toEqual([
        call('a', '{"n":1}'),
        { role: 'tool', tool_call_id: 'a', content: 'r' },
        { role: 'user', content: 'and' },
        call('b', '{}', { extra_content: { x: 1 } }),
        { role: 'tool', tool_call_id: 'b', content: 'Error: ' },
      ]);
    });

    it('with thoughts, signed or sealed or neither', () => {
      const content = [
        { type: 'thinking', thinking: 'h', signature: 's' },
        { type: 'thinking', thinking: 'u', signature: '' },
        { type: 'redacted_thinking', data: 'd' },
        { type: 'text', text: 'a' },
      ];
      expect(messagesOf({ role: 'assistant', content })).toEqual([
        {
          role: 'assistant',
          content: 'a',
          reasoning_details: [
            { type: 'reasoning.text', text: 'h', signature: 's' },
            { type: 'reasoning.text', text: 'u' },
            { type: 'reasoning.encrypted', data: 'd' },
          ],
        },
      ]);
    });

    it('with marks of a cache, where they stand', () => {
      const text = { type: 'text', text: 't', cache_control: MARK };
      const document = {
        type: 'document',
        title: 'd',
        source: { type: 'content', content: [{ type: 'text', text: 'c' }] },
      };
      const messages = [
        { role: 'user', content: [text, { ...document, cache_control: MARK }] },
        { role: 'assistant', content: [{ ...CALL, cache_control: MARK }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: 'r', cache_control: MARK }] },
        { role: 'user', content: 'and' },
      ];
      const all = parametersOf({
        system: [text],
        messages,
        tools: [{ ...TOOL, cache_control: MARK }],
        cache_control: MARK,
      });
      expect(all).toMatchObject({
        messages: [
          { content: [{ text: 't', cache_control: MARK }] },
          { content: [{ text: 't', cache_control: MARK }, { text: 'd' }, { text: 'c', cache_control: MARK }] },
          { tool_calls: [{ cache_control: MARK }] },
          { role: 'tool', content: 'r', cache_control: MARK },
          { content: 'and', cache_control: MARK },
        ],
        tools: [{ cache_control: MARK }],
      });
      expect(JSON.stringify(all['messages']).split('cache_control')).toHaveLength(7);
    });
  });

  it('offers tools', () => {
    const tools = [
      { ...TOOL, type: 'custom', description: 'd', strict: true, defer_loading: true, input_examples: [] },
    ];
    expect(parametersOf({ tools })).toMatchObject({
      tools: [
        {
          type: 'function',
          function: { name: 'look', description: 'd', parameters: { type: 'object' }, strict: true },
        },
      ],
    });
    expect(ignoredOf({ tools })).toEqual(['tools.defer_loading', 'tools.input_examples']);
  });

  it.each([
    [{ type: 'auto' }, { tool_choice: 'auto' }],
    [{ type: 'any' }, { tool_choice: 'required' }],
    [{ type: 'none' }, { tool_choice: 'none' }],
    [{ type: 'tool', name: 'look' }, { tool_choice: { type: 'function', function: { name: 'look' } } }],
    [
      { type: 'auto', disable_parallel_tool_use: true },
      { tool_choice: 'auto', parallel_tool_calls: false },
    ],
    [{ type: 'auto', disable_parallel_tool_use: false }, { tool_choice: 'auto' }],
  ])('chooses %j', (choice, expected) => {
    const { tools: _tools, ...parameters } = parametersOf({ tools: [TOOL], tool_choice: choice });
    expect(parameters).toEqual({ ...parametersOf({}), ...expected });
  });

  it.each([
    [{ thinking: { type: 'enabled', budget_tokens: 4096 } }, 'low'],
    [{ thinking: { type: 'enabled', budget_tokens: 4097 } }, 'medium'],
    [{ thinking: { type: 'enabled', budget_tokens: 16_384 } }, 'medium'],
    [{ thinking: { type: 'enabled', budget_tokens: 16_385 } }, 'high'],
    [{ thinking: { type: 'enabled', budget_tokens: 1024 }, output_config: { effort: 'high' } }, 'high'],
    [{ thinking: { type: 'adaptive' } }, undefined],
    [{ thinking: { type: 'adaptive' }, output_config: { effort: 'max' } }, 'xhigh'],
    [{ thinking: { type: 'disabled' }, output_config: { effort: 'low' } }, undefined],
    [{ output_config: { effort: 'medium' } }, 'medium'],
    [{ output_config: {} }, undefined],
  ])('thinks as much as %j: %s', (fields, effort) => {
    expect(parametersOf(fields)['reasoning_effort']).toBe(effort);
  });

  it('wants its answer as JSON, by both names of it', () => {
    const format = { type: 'json_schema', schema: { type: 'object', properties: { api_key: { type: 'string' } } } };
    const json_schema = { name: 'answer', schema: format.schema, strict: true };
    for (const fields of [{ output_config: { format } }, { output_format: format }])
      expect(parametersOf(fields)['response_format']).toEqual({ type: 'json_schema', json_schema });
  });

  it('says who asks, in no more characters than OpenAI takes', () => {
    const userOf = (id: string): unknown => parametersOf({ metadata: { user_id: id } })['user'];
    expect(userOf('u'.repeat(64))).toBe('u'.repeat(64));
    expect(userOf('u'.repeat(65))).toMatch(/^[0-9a-f]{64}$/);
    expect(userOf('u'.repeat(65))).not.toBe(userOf('u'.repeat(66)));
  });

  it('is told what is ignored of it', () => {
    const document = { type: 'document', source: { type: 'text', data: 'd' }, citations: { enabled: true } };
    const image = { type: 'image', source: { type: 'url', url: 'https://x/a' }, transformations: {} };
    const fields = {
      service_tier: 'standard_only',
      speed: 'standard',
      context_management: { edits: [] },
      thinking: { type: 'disabled', display: 'omitted' },
      output_config: { effort: 'low' },
      messages: [{ role: 'user', content: [document, image] }],
    };
    expect(ignoredOf(fields)).toEqual([
      'service_tier',
      'context_management',
      'thinking.display',
      'output_config.effort',
      'document.citations',
      'image.transformations',
    ]);
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`p${index}`, 1]));
    expect(ignoredOf(many)).toHaveLength(20);
  });

  it.each([
    ['messages', { messages: [] }],
    ['messages[0].role', { messages: [{ role: 'tool', content: 'x' }] }],
    ['messages[0].content', { messages: [{ role: 'user' }] }],
    ['messages[0].content[0].text', { messages: [{ role: 'user', content: [{ type: 'text' }] }] }],
    [
      'messages[0].content[0].source.type',
      { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'x' } }] }] },
    ],
    [
      'messages[0].content[0].source.data',
      {
        messages: [
          {
            role: 'user',
            content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'data:x' } }],
          },
        ],
      },
    ],
    [
      'messages[0].content[0].source.media_type',
      {
        messages: [
          { role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'png', data: 'aGk=' } }] },
        ],
      },
    ],
    [
      'messages[0].content[0].source.url',
      {
        messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'file:///etc/passwd' } }] }],
      },
    ],
    [
      'messages[0].content[0].tool_use_id',
      { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a' }] }] },
    ],
    ['messages[0].content[0].input', { messages: [{ role: 'assistant', content: [{ ...CALL, input: 'text' }] }] }],
    ['system[0].type', { system: [{ type: 'image', source: { type: 'url', url: 'https://x/a' } }] }],
    ['max_tokens', { max_tokens: 0 }],
    ['max_tokens', { max_tokens: undefined }],
    ['stop_sequences[0]', { stop_sequences: [1] }],
    ['temperature', { temperature: 'hot' }],
    ['tools[0].input_schema', { tools: [{ name: 'look' }] }],
    ['tool_choice', { tool_choice: { type: 'any' } }],
    ['tool_choice.name', { tools: [TOOL], tool_choice: { type: 'tool' } }],
    ['thinking.budget_tokens', { thinking: { type: 'enabled' } }],
    ['thinking.budget_tokens', { thinking: { type: 'enabled', budget_tokens: 1023 } }],
    ['output_config.effort', { output_config: { effort: 'much' } }],
    ['output_config.format.schema', { output_config: { format: { type: 'json_schema' } } }],
    ['prompt_template.name', { prompt_template: {} }],
    ['api_base', { api_base: 'http://x' }],
    ['api_key', { messages: [{ role: 'user', content: [{ type: 'text', text: 't', api_key: 'k' }] }] }],
    ['', { 'x\r\ny': 1 }],
  ])('is refused for its field %s', (field, fields) => {
    expect(refusalOf(() => read(fields))).toEqual(['validation_failed', field]);
  });

  it.each([
    ['container', { container: 'c' }],
    ['mcp_servers', { mcp_servers: [{ type: 'url', url: 'https://x', name: 'x' }] }],
    ['tools[0].type', { tools: [{ type: 'bash_20250124', name: 'bash' }] }],
    [
      'messages[0].content[0].type',
      { messages: [{ role: 'user', content: [{ type: 'container_upload', file_id: 'f' }] }] },
    ],
    ['messages[0].content[0].type', { messages: [{ role: 'user', content: [CALL] }] }],
    ['messages[0].content[0].type', { messages: [{ role: 'assistant', content: [{ type: 'server_tool_use' }] }] }],
    [
      'messages[0].content[0].source.file_id',
      { messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'file', file_id: 'f' } }] }] },
    ],
  ])('is refused for what nobody can do: %s', (field, fields) => {
    expect(refusalOf(() => read(fields))).toEqual(['parameter_not_supported', field]);
  });

  it('may say in the input of a tool what no call may set', () => {
    const messages = [{ role: 'assistant', content: [{ ...CALL, input: { api_key: 'k', base_url: 'u' } }] }];
    expect(parametersOf({ messages })['messages']).toMatchObject([
      { tool_calls: [{ function: { arguments: '{"api_key":"k","base_url":"u"}' } }] },
    ]);
  });

  it('is refused when it is none', () => {
    expect(refusalOf(() => readMessagesRequest(undefined))).toEqual(['validation_failed', 'messages']);
    expect(refusalOf(() => readMessagesRequest(bytes('[]')))).toEqual(['malformed_request', null]);
    expect(refusalOf(() => readMessagesRequest(bytes('{')))).toEqual(['malformed_json', null]);
  });

  it('need not say how much may be written when it is counted only', () => {
    const { max_tokens: _most, ...request } = MINIMAL;
    expect(readCountRequest(bytes(request)).call.parameters).not.toHaveProperty('max_tokens');
  });
});
