/** `malformed`: not of our format; `unknown_key`: the ring lacks the key; `not_authentic`: changed or moved. */
export type SealFailure = 'malformed' | 'unknown_key' | 'not_authentic';

const MESSAGES: Record<SealFailure, string> = {
  malformed: 'This is not a sealed text of a known format.',
  unknown_key: 'The key that sealed this text is not in the key ring.',
  not_authentic: 'The sealed text was changed, moved, or sealed for another place or with another key.',
};

/** Every failure of sealing and opening. Neither the message nor a field holds secret, ciphertext or key. */
export class SealError extends Error {
  override readonly name = 'SealError';

  constructor(
    readonly reason: SealFailure,
    message = MESSAGES[reason],
  ) {
    super(message);
  }
}
