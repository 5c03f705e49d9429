import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { nonce } from '../../../nonce';

const BORDER = '1px solid var(--mantine-color-default-border)';

/** The page's own colours: they follow light and dark by themselves. */
const look = EditorView.theme({
  '&': {
    color: 'var(--mantine-color-text)',
    backgroundColor: 'var(--mantine-color-body)',
    border: BORDER,
    borderRadius: 'var(--mantine-radius-sm)',
    fontSize: 'var(--mantine-font-size-sm)',
  },
  '&.cm-focused': { outline: '2px solid var(--mantine-primary-color-filled)', outlineOffset: '-1px' },
  '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '1.7' },
  '.cm-content': { caretColor: 'var(--mantine-color-text)' },
  '.cm-gutters': {
    color: 'var(--mantine-color-dimmed)',
    backgroundColor: 'transparent',
    border: 'none',
  },
  '.cm-placeholder': { color: 'var(--mantine-color-dimmed)' },
  '.cm-tooltip': { backgroundColor: 'var(--mantine-color-body)', border: BORDER, color: 'var(--mantine-color-text)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    backgroundColor: 'var(--mantine-primary-color-filled)',
    color: 'var(--mantine-color-white)',
  },
  '.cm-tag': { borderRadius: '3px', padding: '1px 0' },
  '.cm-tag-value, .cm-tag-item': { color: 'var(--prompt-value)', backgroundColor: 'var(--prompt-value-back)' },
  '.cm-tag-open, .cm-tag-inverted, .cm-tag-close': { color: 'var(--prompt-section)', fontWeight: '700' },
  '.cm-tag-note': { color: 'var(--mantine-color-dimmed)', fontStyle: 'italic' },
  '.cm-tag-bad': { color: 'var(--mantine-color-error)' },
  '.cm-collapsedLines': {
    color: 'var(--mantine-color-dimmed)',
    background: 'var(--mantine-color-default-hover)',
  },
  // Its own marks are in few fonts.
  '.cm-collapsedLines::before, .cm-collapsedLines::after': { content: '"⋯"' },
  '.cm-deletedChunk': { backgroundColor: 'var(--prompt-removed-line)' },
});

/** What every editor of the console has: its styles carry the nonce of the page. */
export const editorLook = (isDark: boolean): Extension => [
  EditorView.cspNonce.of(nonce),
  EditorView.darkTheme.of(isDark),
  look,
  EditorView.lineWrapping,
];
