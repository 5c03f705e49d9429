import type { AlertKind, AlertSubject, Severity } from '../../../contract/alert-kinds.js';
import type { ResolvedReason } from '../../../contract/alert-notice.js';

/** What a kind of alert is called, and what to do about it. */
export interface KindTexts {
  /** What is wrong; stands behind the subject. */
  wrong: string;
  /** What the figure is; null: the kind has none. */
  figure: string | null;
  /** One sentence. */
  advice: string;
}

/** Everything that messages say, in one language. */
export interface Texts {
  tag: Record<Severity | 'resolved', string>;
  kinds: Record<AlertKind, KindTexts>;
  reasons: Record<ResolvedReason, string>;
  labels: Record<
    | 'subject'
    | 'threshold'
    | 'since'
    | 'resolved'
    | 'reason'
    | 'advice'
    | 'rule'
    | 'description'
    | 'scope'
    | 'period'
    | 'spent'
    | 'effect'
    | 'time',
    string
  >;
  /** Text of links into the console. */
  link: string;
  /** A subject in words; empty: the hub itself. */
  subject(kind: AlertSubject, subject: string): string;
  several(kind: AlertSubject, count: number): string;
  /** What a title says, without its tag. `figures` as `figures` gives them, or null. */
  wrong(subject: string, wrong: string, figures: string | null): string;
  still(wrong: string): string;
  /** A title of something that is over for another reason than being good again. */
  over(wrong: string, reason: string): string;
  figures(value: string | null, threshold: string | null): string | null;
  /** A figure, what it is measured by, and what it is made of. */
  measured(figures: string, window: string | null, calls: string | null): string;
  lastMinutes(duration: string): string;
  calls(count: number): string;
  since(time: string, duration: string): string;
  ended(time: string, duration: string): string;
  /** One of several alerts. */
  one(subject: string, measured: string | null, time: string, duration: string): string;
  oneOver(subject: string, duration: string, reason: string): string;
  more(count: number): string;
  budget: {
    title(name: string, percent: string, refuses: boolean): string;
    period(period: 'day' | 'month', from: string, to: string): string;
    spent(spent: string, limit: string, percent: string, threshold: string): string;
    refuses(until: string): string;
    notifies: string;
  };
  test: { title: string; label: string; result: string };
}
