import { joinDetails, sealDetails, textOfDetail, type ReasoningDetail } from './reasoning-details.js';

/** Takes an event of the stream; its `sequence_number` is added there. */
export type Emit = (type: string, fields: Readonly<Record<string, unknown>>) => void;

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

/** An item's place in a Response. */
export interface Place {
  id: string;
  outputIndex: number;
  emit: Emit;
}

/** An item of a Response's output while it is made. Its events are those that OpenAI sends. */
export interface OutputItem {
  /** Its last events; nothing is added afterwards. */
  close(status: ItemStatus): void;
  /** As it is so far. */
  toJson(): Readonly<Record<string, unknown>>;
}

type Tell = (type: string, fields: Readonly<Record<string, unknown>>) => void;

const tellerOf =
  ({ id, outputIndex, emit }: Place): Tell =>
  (type, fields) =>
    emit(type, { item_id: id, output_index: outputIndex, ...fields });

const emitAdded = ({ emit, outputIndex }: Place, item: OutputItem): void =>
  emit('response.output_item.added', { output_index: outputIndex, item: item.toJson() });

const emitDone = ({ emit, outputIndex }: Place, item: OutputItem): void =>
  emit('response.output_item.done', { output_index: outputIndex, item: item.toJson() });

type MessagePart =
  | { type: 'output_text'; text: string; annotations: object[]; logprobs: object[] }
  | { type: 'refusal'; refusal: string };

/** What the model says. */
export class MessageOutput implements OutputItem {
  private readonly parts: MessagePart[] = [];
  private readonly tell: Tell;
  private status: ItemStatus = 'in_progress';

  constructor(private readonly place: Place) {
    this.tell = tellerOf(place);
    emitAdded(place, this);
  }

  text(delta: string, logprobs: readonly object[]): void {
    const part = this.partOf('output_text');
    part.text += delta;
    part.logprobs.push(...logprobs);
    this.tell('response.output_text.delta', { content_index: this.parts.length - 1, delta, logprobs });
  }

  /** Where the text has it from. */
  annotate(annotation: object): void {
    const part = this.partOf('output_text');
    part.annotations.push(annotation);
    const place = { content_index: this.parts.length - 1, annotation_index: part.annotations.length - 1 };
    this.tell('response.output_text.annotation.added', { ...place, annotation });
  }

  refuse(delta: string): void {
    this.partOf('refusal').refusal += delta;
    this.tell('response.refusal.delta', { content_index: this.parts.length - 1, delta });
  }

  close(status: ItemStatus): void {
    this.closePart();
    this.status = status;
    emitDone(this.place, this);
  }

  toJson(): Readonly<Record<string, unknown>> {
    const { status, parts } = this;
    return { id: this.place.id, type: 'message', status, role: 'assistant', content: parts };
  }

  private partOf<Type extends MessagePart['type']>(type: Type): Extract<MessagePart, { type: Type }> {
    if (this.parts.at(-1)?.type !== type) {
      this.closePart();
      this.parts.push(
        type === 'refusal'
          ? { type: 'refusal', refusal: '' }
          : { type: 'output_text', text: '', annotations: [], logprobs: [] },
      );
      this.tell('response.content_part.added', { content_index: this.parts.length - 1, part: this.parts.at(-1) });
    }
    return this.parts.at(-1) as Extract<MessagePart, { type: Type }>;
  }

  private closePart(): void {
    const part = this.parts.at(-1);
    if (!part) return;
    const place = { content_index: this.parts.length - 1 };
    if (part.type === 'refusal') this.tell('response.refusal.done', { ...place, refusal: part.refusal });
    else this.tell('response.output_text.done', { ...place, text: part.text, logprobs: part.logprobs });
    this.tell('response.content_part.done', { ...place, part });
  }
}

/**
 * What the model thinks: as the summary for a caller who asked for one, since there he reads it, else as the text itself.
 */
export class ReasoningOutput implements OutputItem {
  private readonly tell: Tell;
  private readonly details: ReasoningDetail[] = [];
  private hasMoreThanText = false;
  private readonly name: 'reasoning_summary_text' | 'reasoning_text';
  private content: string | null = null;
  private status: ItemStatus = 'in_progress';

  constructor(
    private readonly place: Place,
    private readonly isSummary: boolean,
  ) {
    this.tell = tellerOf(place);
    this.name = isSummary ? 'reasoning_summary_text' : 'reasoning_text';
    emitAdded(place, this);
  }

  /**
   * @param details what the provider wants to have back, unread by the client: signatures, thoughts that are not shown,
   *   and often the same text once more
   */
  think(text: string, details: readonly ReasoningDetail[]): void {
    const told = details.map(textOfDetail).join('');
    if (details.length > 0) this.hasMoreThanText = true;
    if (told === '' && text !== '') this.details.push({ type: 'reasoning.text', text });
    this.details.push(...details);
    this.show(told || text);
  }

  close(status: ItemStatus): void {
    if (this.content !== null) {
      this.tell(`response.${this.name}.done`, { ...this.index, text: this.content });
      this.tell(`${this.partEvent}.done`, { ...this.index, part: this.part });
    }
    this.status = status;
    emitDone(this.place, this);
  }

  toJson(): Readonly<Record<string, unknown>> {
    const parts = this.content === null ? [] : [this.part];
    const sealed = this.hasMoreThanText ? sealDetails(joinDetails(this.details)) : null;
    return {
      id: this.place.id,
      type: 'reasoning',
      status: this.status,
      summary: this.isSummary ? parts : [],
      ...(!this.isSummary && parts.length > 0 && { content: parts }),
      encrypted_content: sealed,
    };
  }

  private show(delta: string): void {
    if (delta === '') return;
    if (this.content === null) {
      this.content = '';
      this.tell(`${this.partEvent}.added`, { ...this.index, part: this.part });
    }
    this.content += delta;
    this.tell(`response.${this.name}.delta`, { ...this.index, delta });
  }

  private get partEvent(): string {
    return this.isSummary ? 'response.reasoning_summary_part' : 'response.content_part';
  }

  private get index(): object {
    return this.isSummary ? { summary_index: 0 } : { content_index: 0 };
  }

  private get part(): object {
    return { type: this.isSummary ? 'summary_text' : 'reasoning_text', text: this.content ?? '' };
  }
}

/** What the model wants to be done: the call of a function, or of a tool that takes plain text. */
export class CallOutput implements OutputItem {
  private readonly tell: Tell;
  private readonly field: 'arguments' | 'input';
  private input = '';
  private extra: unknown;
  private status: ItemStatus = 'in_progress';

  constructor(
    private readonly place: Place,
    private readonly call: { type: 'function' | 'custom'; id: string; name: string },
  ) {
    this.tell = tellerOf(place);
    this.field = call.type === 'function' ? 'arguments' : 'input';
    emitAdded(place, this);
  }

  add(delta: string): void {
    this.input += delta;
    this.tell(`${this.event}.delta`, { delta });
  }

  /** What the provider wants to have back with the call. */
  keep(extra: unknown): void {
    this.extra = extra;
  }

  close(status: ItemStatus): void {
    const name = this.call.type === 'function' ? { name: this.call.name } : {};
    this.tell(`${this.event}.done`, { ...name, [this.field]: this.input });
    this.status = status;
    emitDone(this.place, this);
  }

  toJson(): Readonly<Record<string, unknown>> {
    const { type, id, name } = this.call;
    return {
      id: this.place.id,
      type: type === 'function' ? 'function_call' : 'custom_tool_call',
      status: this.status,
      call_id: id,
      name,
      [this.field]: this.input,
      ...(this.extra !== undefined && { extra_content: this.extra }),
    };
  }

  private get event(): string {
    return this.call.type === 'function' ? 'response.function_call_arguments' : 'response.custom_tool_call_input';
  }
}
