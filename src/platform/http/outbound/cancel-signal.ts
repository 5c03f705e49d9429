/**
 * What the client needs of an AbortSignal, and no more: making a real one costs a call several microseconds, so whoever
 * makes one per call may bring a lighter one.
 */
export interface CancelSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}
