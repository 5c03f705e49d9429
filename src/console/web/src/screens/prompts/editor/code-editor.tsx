import { autocompletion, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { lintKeymap, setDiagnostics } from '@codemirror/lint';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, keymap, lineNumbers, placeholder as placeholderText } from '@codemirror/view';
import { useComputedColorScheme } from '@mantine/core';
import { type ReactNode, type Ref, useEffect, useImperativeHandle, useRef } from 'react';
import { editorLook } from './editor-look';
import { completeNames, setNames, templateLanguage } from './template-marks';
import { offsetOf, type TextError, toDiagnostics } from './text-errors';

export interface EditorHandle {
  goTo: (line: number, column: number) => void;
}

interface CodeEditorProps {
  value: string;
  onChange: (value: string) => void;
  isReadOnly: boolean;
  /** Braces mean something. */
  isTemplate: boolean;
  label: string;
  placeholder: string;
  errors: readonly TextError[];
  names: readonly string[];
  ref?: Ref<EditorHandle>;
}

/** As the editor holds it: every line ends with LF. */
const lines = (text: string): string => text.replaceAll(/\r\n?/g, '\n');

const extensionsOf = (
  { isReadOnly, isTemplate, label, placeholder }: CodeEditorProps,
  isDark: boolean,
  onChange: (value: string) => void,
): Extension => [
  editorLook(isDark),
  lineNumbers(),
  history(),
  isTemplate ? [templateLanguage, autocompletion({ override: [completeNames], icons: false })] : [],
  // Tab is left to the page: whoever works without a mouse has to get out of here.
  keymap.of([...completionKeymap, ...historyKeymap, ...lintKeymap, ...defaultKeymap]),
  EditorState.readOnly.of(isReadOnly),
  EditorView.contentAttributes.of({ 'aria-label': label, 'aria-readonly': String(isReadOnly), tabindex: '0' }),
  isReadOnly ? [] : placeholderText(placeholder),
  EditorView.updateListener.of(({ docChanged, state }) => docChanged && onChange(state.doc.toString())),
];

/** The editor is made anew where what it is changes; what it holds is changed in place, so that the cursor stays. */
export default function CodeEditor(props: CodeEditorProps): ReactNode {
  const { value, isReadOnly, isTemplate, label, placeholder, errors, names } = props;
  const isDark = useComputedColorScheme('light') === 'dark';
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    if (!place.current) return undefined;
    const onChange = (text: string): void => latest.current.onChange(text);
    const made = new EditorView({
      parent: place.current,
      doc: latest.current.value,
      extensions: extensionsOf(latest.current, isDark, onChange),
    });
    view.current = made;
    return () => made.destroy();
  }, [isReadOnly, isTemplate, label, placeholder, isDark]);

  useEffect(() => {
    const shown = view.current;
    if (!shown || shown.state.doc.toString() === lines(value)) return;
    shown.dispatch({ changes: { from: 0, to: shown.state.doc.length, insert: value } });
  }, [value]);

  useEffect(() => {
    const shown = view.current;
    shown?.dispatch(setDiagnostics(shown.state, toDiagnostics(shown.state.doc, errors)));
  }, [errors, isReadOnly, isTemplate, label, isDark]);

  useEffect(() => view.current?.dispatch({ effects: setNames.of(names) }), [names, isReadOnly, isTemplate, isDark]);

  useImperativeHandle(props.ref, () => ({
    goTo: (line, column) => {
      const shown = view.current;
      if (!shown) return;
      shown.dispatch({ selection: { anchor: offsetOf(shown.state.doc, line, column) }, scrollIntoView: true });
      shown.focus();
    },
  }));

  return <div ref={place} className="code-editor" />;
}
