import { ProviderError } from '../../providers/provider-error.js';
import type { Content, Delta, Say } from './message-events.js';

/** What may ever wait for its turn in one answer; none of a model's is so long. */
const MOST_WAITING_CHARACTERS = 8 * 1024 * 1024;

/** One block of an answer while it is made. */
export interface OpenContent {
  /** Told whole when it is over, not as it comes. */
  readonly isHeld: boolean;
  /** It may be over: nothing that comes later must belong to it. */
  readonly isComplete: boolean;
  /** null: what it begins with is not known yet. */
  start(): Content | null;
  /** Its last deltas; null: there is nothing worth telling of it. Throws when it is no good. */
  end(isCut: boolean): readonly Delta[] | null;
}

interface Waiting {
  content: OpenContent;
  deltas: Delta[];
}

/**
 * Tells the blocks of an answer one after the other, as Anthropic's clients expect it, though a provider may write
 * several tool calls at once: what belongs to a later block waits until those before it are complete.
 */
export class ContentQueue {
  private readonly waiting: Waiting[] = [];
  private index = 0;
  private hasStarted = false;
  private waited = 0;

  constructor(private readonly say: Say) {}

  /** The block that was begun last, unless it is over. */
  get last(): OpenContent | undefined {
    return this.waiting.at(-1)?.content;
  }

  has(content: OpenContent): boolean {
    return this.waiting.some((entry) => entry.content === content);
  }

  begin(content: OpenContent): void {
    this.waiting.push({ content, deltas: [] });
    this.advance();
  }

  add(content: OpenContent, delta: Delta): void {
    const entry = this.waiting.find((candidate) => candidate.content === content);
    entry?.deltas.push(delta);
    this.advance();
    if (entry?.deltas.length) this.countWaiting(delta);
  }

  /** Tells what can be told. */
  advance(): void {
    for (let [first] = this.waiting; first; [first] = this.waiting) {
      if (!first.content.isComplete || this.waiting.length === 1) return this.tellSoFar(first);
      this.tellWhole(first, false);
    }
  }

  /** The answer is over. `isCut`: it was to be longer. */
  finish(isCut: boolean): void {
    for (let [first] = this.waiting; first; [first] = this.waiting) this.tellWhole(first, isCut);
  }

  private tellSoFar(first: Waiting): void {
    if (!first.content.isHeld && this.start(first)) this.tell(first.deltas.splice(0));
  }

  private tellWhole(first: Waiting, isCut: boolean): void {
    const last = first.content.end(isCut);
    this.waiting.shift();
    if (last === null || !this.start(first)) return;
    this.tell([...first.deltas, ...last]);
    this.say({ type: 'content_block_stop', index: this.index });
    this.index += 1;
    this.hasStarted = false;
  }

  /** False: it cannot begin yet. */
  private start({ content }: Waiting): boolean {
    const block = this.hasStarted ? null : content.start();
    if (block !== null) {
      this.say({ type: 'content_block_start', index: this.index, content_block: block });
      this.hasStarted = true;
    }
    return this.hasStarted;
  }

  private tell(deltas: readonly Delta[]): void {
    for (const delta of deltas) this.say({ type: 'content_block_delta', index: this.index, delta });
  }

  private countWaiting(delta: Delta): void {
    this.waited += JSON.stringify(delta).length;
    if (this.waited <= MOST_WAITING_CHARACTERS) return;
    throw new ProviderError('bad_answer', { message: 'the answer has tool calls that do not end' });
  }
}
