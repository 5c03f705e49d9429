import { randomUUID } from 'node:crypto';
import { isPlainObject } from '../../../contract/fields.js';
import { isGiven } from '../given.js';
import { CallOutput, type Place } from './output-items.js';

type Fields = Readonly<Record<string, unknown>>;

/** A call whose name is not known yet waits, with what has come of it. */
interface PendingCall {
  type: 'function' | 'custom';
  id: string;
  name: string;
  input: string;
  extra: unknown;
  item: CallOutput | null;
  isClosed: boolean;
}

/** Puts the calls of tools together, whose pieces may come in turns. */
export class CallCollector {
  private readonly calls = new Map<number, PendingCall>();
  private last = -1;

  /** `place`: where the next item stands; `add`: takes an item that was begun. */
  constructor(
    private readonly place: (prefix: string) => Place,
    private readonly add: (item: CallOutput) => void,
  ) {}

  /** What has begun and may go on. */
  get opened(): readonly CallOutput[] {
    return [...this.calls.values()].flatMap(({ item, isClosed }) => (item && !isClosed ? [item] : []));
  }

  /** Pieces of calls as a chunk has them, or whole calls as an answer has them. */
  take(pieces: readonly unknown[]): void {
    for (const piece of pieces) if (isPlainObject(piece)) this.takePiece(piece);
  }

  /** Calls that never got a name are shown all the same: the caller sees what the model has done. */
  openRest(): void {
    for (const call of this.calls.values()) this.open(call);
  }

  private takePiece(piece: Fields): void {
    const call = this.callOf(piece);
    const body = isPlainObject(piece['custom']) ? piece['custom'] : piece['function'];
    if (isPlainObject(piece['custom'])) call.type = 'custom';
    if (call.item === null && textOr(piece['id'], '') !== '') call.id = textOr(piece['id'], '');
    const { name, arguments: args, input } = (isPlainObject(body) ? body : {}) as Fields;
    if (call.name === '') call.name = textOr(name, '');
    if (call.name !== '') this.open(call);
    this.addInput(call, textOr(args, textOr(input, '')));
    if (isGiven(piece['extra_content'])) this.keepExtra(call, piece['extra_content']);
  }

  /** Some servers leave the index out: a call goes on until another id comes. */
  private callOf({ index, id }: Fields): PendingCall {
    const known = Number.isInteger(index) ? (index as number) : this.last;
    const found = this.calls.get(known);
    const isAnother = !isGiven(index) && typeof id === 'string' && id !== '' && found !== undefined && found.id !== id;
    if (found && !isAnother) {
      this.last = known;
      return found;
    }
    this.closeComplete();
    const at = Number.isInteger(index) ? (index as number) : this.calls.size;
    const call: PendingCall = {
      type: 'function',
      id: '',
      name: '',
      input: '',
      extra: undefined,
      item: null,
      isClosed: false,
    };
    this.calls.set(at, call);
    this.last = at;
    return call;
  }

  private open(call: PendingCall): void {
    if (call.item) return;
    if (call.id === '') call.id = `call_${randomUUID().replaceAll('-', '')}`;
    const { type, id, name } = call;
    call.item = new CallOutput(this.place(type === 'function' ? 'fc' : 'ctc'), { type, id, name });
    this.add(call.item);
    if (call.input !== '') call.item.add(call.input);
    if (call.extra !== undefined) call.item.keep(call.extra);
  }

  /**
   * Another call begins. As a rule that ends those before it, but pieces may come in turns: only what is an object by
   * now cannot go on.
   */
  private closeComplete(): void {
    for (const call of this.calls.values()) {
      if (!call.item || call.isClosed || call.type === 'custom' || !isJsonObject(call.input)) continue;
      call.isClosed = true;
      call.item.close('completed');
    }
  }

  private addInput(call: PendingCall, delta: string): void {
    if (delta === '' || call.isClosed) return;
    call.input += delta;
    call.item?.add(delta);
  }

  private keepExtra(call: PendingCall, extra: unknown): void {
    call.extra = extra;
    call.item?.keep(extra);
  }
}

const textOr = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);

const isJsonObject = (text: string): boolean => {
  try {
    return isPlainObject(JSON.parse(text));
  } catch {
    return false;
  }
};
