import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { MergeView, unifiedMergeView } from '@codemirror/merge';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { useComputedColorScheme } from '@mantine/core';
import { type ReactNode, useEffect, useRef } from 'react';
import { useSpoken } from '../../../language/language';
import type { Texts } from '../../../language/texts';
import { editorLook } from './editor-look';

export interface DiffEditorProps {
  before: string;
  after: string;
  beforeName: string;
  afterName: string;
  isSideBySide: boolean;
  /** Whole texts, also where they are the same. */
  isWhole?: boolean;
  /** Given: the text on the right can be changed, and changes of the left can be taken over. */
  onChange?: ((after: string) => void) | undefined;
}

const COLLAPSE = { margin: 3, minSize: 6 };

const shared = (name: string, isDark: boolean, texts: Texts['prompts']): Extension => [
  editorLook(isDark),
  lineNumbers(),
  EditorState.phrases.of({ '$ unchanged lines': texts.unchangedLines }),
  EditorView.contentAttributes.of({ 'aria-label': name, tabindex: '0' }),
];

const READ_ONLY: Extension = EditorState.readOnly.of(true);

const editable = (onChange: (after: string) => void): Extension => [
  history(),
  keymap.of([...historyKeymap, ...defaultKeymap]),
  EditorView.updateListener.of(({ docChanged, state }) => docChanged && onChange(state.doc.toString())),
];

const takeButton = (says: string) => (): HTMLElement => {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = '→';
  button.title = says;
  button.ariaLabel = says;
  return button;
};

/** Two texts and what differs between them. */
export default function DiffEditor(props: DiffEditorProps): ReactNode {
  const { before, after, isSideBySide, isWhole = false, onChange } = props;
  const { t } = useSpoken();
  const isDark = useComputedColorScheme('light') === 'dark';
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const isEditable = onChange !== undefined;
  // What is typed here comes back as `after`, and must not make the view anew.
  const shown = isEditable ? null : after;

  useEffect(() => {
    if (!place.current) return undefined;
    const { beforeName, afterName } = latest.current;
    const change = (text: string): void => latest.current.onChange?.(text);
    const text = latest.current.after;
    const right = [shared(afterName, isDark, t.prompts), isEditable ? editable(change) : READ_ONLY];
    const collapse = isWhole ? {} : { collapseUnchanged: COLLAPSE };
    const parent = place.current;
    if (!isSideBySide) {
      const unified = unifiedMergeView({ original: before, mergeControls: false, ...collapse });
      const view = new EditorView({ parent, doc: text, extensions: [right, unified] });
      return () => view.destroy();
    }
    const view = new MergeView({
      parent,
      a: { doc: before, extensions: [shared(beforeName, isDark, t.prompts), READ_ONLY] },
      b: { doc: text, extensions: right },
      ...collapse,
      ...(isEditable && { revertControls: 'a-to-b', renderRevertControl: takeButton(t.prompts.takeTheirs) }),
    });
    return () => view.destroy();
  }, [before, shown, isSideBySide, isWhole, isEditable, isDark, t]);

  return <div ref={place} className="diff-editor" />;
}
