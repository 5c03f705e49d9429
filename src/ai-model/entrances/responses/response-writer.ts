import { randomUUID } from 'node:crypto';
import { isPlainObject } from '../../../contract/fields.js';
import { toOpenAiError } from '../../../platform/errors/error-answers.js';
import type { AppError } from '../../../platform/errors/app-error.js';
import type { ChatChunk } from '../../calls/dialect.js';
import { CallCollector } from './call-collector.js';
import { MessageOutput, ReasoningOutput, type Emit, type OutputItem, type Place } from './output-items.js';
import type { ReasoningDetail } from './reasoning-details.js';
import { toResponseObject, type ResponseIdentity, type ResponseState } from './response-object.js';
import type { ResponsesRequest } from './responses-request.js';

type Fields = Readonly<Record<string, unknown>>;
type ResponseObject = Fields;

const INCOMPLETE: Readonly<Record<string, ResponseState['incompleteReason']>> = {
  length: 'max_output_tokens',
  content_filter: 'content_filter',
};
/** OpenAI has a fixed set of codes for a Response that failed; the hub's own is in the event after it. */
const CODES: Readonly<Record<string, string>> = {
  rate_limit_exceeded: 'rate_limit_exceeded',
  context_length_exceeded: 'invalid_prompt',
  content_filter: 'invalid_prompt',
};

const seconds = (): number => Math.floor(Date.now() / 1000);

/**
 * Puts a Response together from the chunks of a chat, and tells each step as an event. A whole answer is one chunk, so
 * that both ways say the same.
 */
export class ResponseWriter {
  private readonly key = randomUUID().replaceAll('-', '');
  private readonly identity: ResponseIdentity;
  private readonly state: ResponseState = {
    status: 'in_progress',
    output: [],
    usage: null,
    serviceTier: null,
    completedAt: null,
    incompleteReason: null,
    error: null,
  };
  private readonly items: OutputItem[] = [];
  private readonly calls = new CallCollector(
    (prefix) => this.nextPlace(prefix),
    (item) => this.items.push(item),
  );
  /** What is being said or thought. */
  private current: MessageOutput | ReasoningOutput | null = null;

  constructor(
    private readonly request: ResponsesRequest,
    private readonly emit: Emit,
  ) {
    this.identity = { id: `resp_${this.key}`, createdAt: seconds(), request };
    emit('response.created', { response: this.toJson() });
    emit('response.in_progress', { response: this.toJson() });
  }

  /** A chunk of OpenAI's chat stream. What is not as it should be is left out. */
  take({ choices, usage, service_tier: tier }: ChatChunk): void {
    if (isPlainObject(usage)) this.state.usage = usage;
    if (typeof tier === 'string') this.state.serviceTier = tier;
    const choice: unknown = Array.isArray(choices) ? choices[0] : null;
    if (!isPlainObject(choice)) return;
    if (isPlainObject(choice['delta'])) this.takeDelta(choice['delta'], logprobsIn(choice['logprobs']));
    const reason = choice['finish_reason'];
    if (typeof reason === 'string') this.state.incompleteReason = INCOMPLETE[reason] ?? null;
  }

  /** The answer is complete, or as much of it as there will be. */
  finish(): void {
    const isComplete = this.state.incompleteReason === null;
    this.calls.openRest();
    this.closeAll(isComplete);
    this.state.status = isComplete ? 'completed' : 'incomplete';
    this.state.completedAt = isComplete ? seconds() : null;
    this.emit(`response.${this.state.status}`, { response: this.toJson() });
  }

  /** The answer broke off. OpenAI's clients throw at the event `error`, and show the Response before it. */
  fail(error: AppError): void {
    const { error: told } = toOpenAiError(error);
    this.state.status = 'failed';
    this.state.error = { code: CODES[error.code] ?? 'server_error', message: String(told['message']) };
    this.emit('response.failed', { response: this.toJson() });
    const { code, message, param } = told;
    this.emit('error', { code, message, param, error: told });
  }

  toJson(): ResponseObject {
    return toResponseObject(this.identity, { ...this.state, output: this.items.map((item) => item.toJson()) });
  }

  private takeDelta(delta: Fields, logprobs: readonly object[]): void {
    const details = Array.isArray(delta['reasoning_details']) ? delta['reasoning_details'].filter(isPlainObject) : [];
    const thought = textIn(delta['reasoning_content']) || textIn(delta['reasoning']);
    if (thought !== '' || details.length > 0) this.think(thought, details);
    const text = textIn(delta['content']);
    if (text !== '') this.message().text(text, logprobs);
    const refusal = textIn(delta['refusal']);
    if (refusal !== '') this.message().refuse(refusal);
    for (const annotation of annotationsIn(delta['annotations'])) this.message().annotate(annotation);
    if (Array.isArray(delta['tool_calls']) && delta['tool_calls'].length > 0) {
      this.closeCurrent();
      this.calls.take(delta['tool_calls']);
    }
  }

  private think(text: string, details: readonly ReasoningDetail[]): void {
    if (!(this.current instanceof ReasoningOutput)) {
      this.closeCurrent();
      const { summary, generate_summary: formerly } = this.request.reasoning ?? {};
      this.current = this.add(new ReasoningOutput(this.nextPlace('rs'), (summary ?? formerly ?? null) !== null));
    }
    this.current.think(text, details);
  }

  private message(): MessageOutput {
    if (this.current instanceof MessageOutput) return this.current;
    this.closeCurrent();
    const message = this.add(new MessageOutput(this.nextPlace('msg')));
    this.current = message;
    return message;
  }

  private add<Item extends OutputItem>(item: Item): Item {
    this.items.push(item);
    return item;
  }

  private nextPlace(prefix: string): Place {
    const outputIndex = this.items.length;
    const id = `${prefix}_${this.key}${outputIndex.toString(16).padStart(4, '0')}`;
    return { id, outputIndex, emit: this.emit };
  }

  private closeCurrent(): void {
    this.current?.close('completed');
    this.current = null;
  }

  /** What was cut off is the last of the items. */
  private closeAll(isComplete: boolean): void {
    const open = [...(this.current ? [this.current] : []), ...this.calls.opened];
    this.current = null;
    open.sort((a, b) => this.items.indexOf(a) - this.items.indexOf(b));
    open.forEach((item, index) => item.close(isComplete || index < open.length - 1 ? 'completed' : 'incomplete'));
  }
}

/** A text, or a list of parts of which some are text. */
const textIn = (value: unknown): string => {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return '';
  return value
    .map((part: unknown) => (isPlainObject(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('');
};

const logprobsIn = (logprobs: unknown): readonly object[] => {
  const content = isPlainObject(logprobs) ? logprobs['content'] : null;
  return Array.isArray(content) ? content.filter(isPlainObject) : [];
};

/** Chat has the citation of an address in an object of its own. */
const annotationsIn = (annotations: unknown): readonly object[] =>
  (Array.isArray(annotations) ? annotations : []).flatMap((annotation: unknown) => {
    const citation = isPlainObject(annotation) ? annotation['url_citation'] : null;
    return isPlainObject(citation) ? [{ type: 'url_citation', ...citation }] : [];
  });
