import { randomUUID } from 'node:crypto';
import { isGiven } from '../given.js';
import { ProviderError } from '../../providers/provider-error.js';
import type { CallPiece, ThoughtPiece } from './answer-pieces.js';
import type { OpenContent } from './content-queue.js';
import { JsonObjectEnd } from './json-object-end.js';
import type { Content, Delta } from './message-events.js';

/** What the model says. */
export class OpenText implements OpenContent {
  readonly isHeld = false;
  readonly isComplete = true;

  start(): Content {
    return { type: 'text', text: '', citations: null };
  }

  end(): readonly Delta[] {
    return [];
  }
}

/** What the model thinks. A caller who did not ask is told what is signed: he has to send it back. */
export class OpenThought implements OpenContent {
  readonly isComplete = true;
  private text = '';
  private signature = '';

  constructor(
    private readonly first: ThoughtPiece,
    readonly isHeld: boolean,
  ) {}

  /** Some tell a thought as it comes, and once more as a whole when it is signed. */
  isRepeatedBy({ isDetail, text }: ThoughtPiece): boolean {
    return isDetail && !this.first.isDetail && text === this.text;
  }

  /** Without an index, a text goes on until it is signed. */
  goesOnWith({ isDetail, index, text }: ThoughtPiece): boolean {
    const { first, signature } = this;
    if (isDetail !== first.isDetail) return text === '';
    if (isGiven(index) || isGiven(first.index)) return index === first.index;
    return signature === '' || text === '';
  }

  think(text: string): void {
    this.text += text;
  }

  sign(signature: string): void {
    this.signature += signature;
  }

  start(): Content {
    return { type: 'thinking', thinking: '', signature: '' };
  }

  end(): readonly Delta[] | null {
    const { signature, isHeld } = this;
    if (signature === '') return isHeld ? null : [];
    return [{ type: 'signature_delta', signature }];
  }
}

/** Thoughts that only the provider can read. */
export class OpenRedacted implements OpenContent {
  readonly isHeld = false;
  readonly isComplete = true;

  constructor(private readonly data: string) {}

  start(): Content {
    return { type: 'redacted_thinking', data: this.data };
  }

  end(): readonly Delta[] {
    return [];
  }
}

/** The call of a tool. */
export class OpenCall implements OpenContent {
  readonly isHeld = false;
  private readonly json = new JsonObjectEnd();
  private isEmpty = true;
  private id = '';
  private name = '';
  private extra: unknown;

  get isComplete(): boolean {
    return this.name !== '' && this.json.isReached;
  }

  /** Some servers give calls no index of their own, or the same one to all of them. */
  isAnotherThan({ id, name }: CallPiece): boolean {
    if (id !== '') return this.id !== '' && this.id !== id;
    return name !== '' && this.isComplete;
  }

  take({ id, name, json, extra }: CallPiece): void {
    this.id ||= id;
    this.name ||= name;
    this.extra ??= extra;
    this.json.push(json);
    if (json !== '') this.isEmpty = false;
  }

  start(): Content | null {
    const { name, extra } = this;
    if (name === '') return null;
    this.id ||= `toolu_${randomUUID().replaceAll('-', '')}`;
    const own = isGiven(extra) ? { extra_content: extra } : {};
    return { type: 'tool_use', id: this.id, name, input: {}, caller: { type: 'direct' }, ...own };
  }

  end(isCut: boolean): readonly Delta[] | null {
    if (this.isComplete || (this.isEmpty && this.name !== '')) return [];
    // The limit may have come before its name.
    if (isCut) return this.name === '' ? null : [];
    throw badCall(this.name);
  }
}

export const badCall = (name: string): ProviderError =>
  new ProviderError('bad_answer', {
    message: `the call of the tool ${name.slice(0, 100)} has no JSON object as its arguments`,
  });
