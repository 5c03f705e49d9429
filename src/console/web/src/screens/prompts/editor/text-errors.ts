import type { Diagnostic } from '@codemirror/lint';
import type { Text } from '@codemirror/state';

export interface TextError {
  line: number;
  /** Counted in code points, from 1. */
  column: number;
  message: string;
}

/** Where a place the API names is in the editor, which counts UTF-16 units. */
export const offsetOf = (document: Text, line: number, column: number): number => {
  const at = document.line(Math.min(Math.max(line, 1), document.lines));
  const before = [...at.text].slice(0, column - 1).join('');
  return at.from + before.length;
};

/** An error begins at its place and reaches as far as the tag it is in, or one character. */
export const toDiagnostics = (document: Text, errors: readonly TextError[]): Diagnostic[] =>
  errors.map(({ line, column, message }) => {
    const from = offsetOf(document, line, column);
    const { to: end } = document.lineAt(from);
    const [tag = ''] = /^\{\{[^{}]*(?:\}\})?/.exec(document.sliceString(from, end)) ?? [];
    return { from, to: Math.min(from + Math.max(tag.length, 1), end), severity: 'error', message };
  });
