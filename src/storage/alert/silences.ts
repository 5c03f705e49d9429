/** What of a silence decides whom it covers. Null covers every rule, or every subject. */
export interface Silence {
  ruleName: string | null;
  /** A subject; `*` at its end stands for anything. */
  subject: string | null;
  startsAt: Date;
  endsAt: Date;
}

const coversSubject = (pattern: string | null, subject: string): boolean => {
  if (pattern === null) return true;
  return pattern.endsWith('*') ? subject.startsWith(pattern.slice(0, -1)) : subject === pattern;
};

/** Tells whether somebody asked for silence about this rule and subject at that time; the end of a silence is not in it. */
export const isSilenced = (silences: readonly Silence[], ruleName: string, subject: string, at: Date): boolean =>
  silences.some(
    (silence) =>
      silence.startsAt <= at &&
      at < silence.endsAt &&
      (silence.ruleName === null || silence.ruleName === ruleName) &&
      coversSubject(silence.subject, subject),
  );
