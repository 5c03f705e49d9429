import { type Completion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { type Extension, Facet, RangeSetBuilder, StateEffect, StateField, type Text } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView } from '@codemirror/view';
import { namesOf, type TagKind, tagsOf } from '../template-text';

const MARKS = Object.fromEntries(
  (['value', 'open', 'inverted', 'close', 'item', 'note', 'bad'] satisfies TagKind[]).map((kind) => [
    kind,
    Decoration.mark({ class: `cm-tag cm-tag-${kind}` }),
  ]),
) as Record<TagKind, Decoration>;

const marksOf = (document: Text): DecorationSet => {
  const builder = new RangeSetBuilder<Decoration>();
  for (const { kind, from, to } of tagsOf(document.toString())) builder.add(from, to, MARKS[kind]);
  return builder.finish();
};

/** Tags in their colours; sections and notes look different from values, and not by colour alone. */
const templateMarks = StateField.define<DecorationSet>({
  create: ({ doc }) => marksOf(doc),
  update: (marks, transaction) => (transaction.docChanged ? marksOf(transaction.newDoc) : marks),
  provide: (field) => EditorView.decorations.from(field),
});

/** Names that are declared, whether or not the text uses them yet. */
export const setNames = StateEffect.define<readonly string[]>();

const namesFacet = Facet.define<readonly string[], readonly string[]>({ combine: (given) => given.flat() });
const declaredNames = StateField.define<readonly string[]>({
  create: () => [],
  update: (names, { effects }) => effects.reduce((now, effect) => (effect.is(setNames) ? effect.value : now), names),
  provide: (field) => namesFacet.from(field),
});

const optionOf = (name: string): Completion => ({
  label: name,
  type: 'variable',
  apply: (view, _completion, from, to) => {
    const isClosed = /^\s*\}\}/.test(view.state.sliceDoc(to, to + 8));
    const insert = isClosed ? name : `${name}}}`;
    view.dispatch({ changes: { from, to, insert }, selection: { anchor: from + name.length + 2 } });
  },
});

/** Behind `{{`: the names that are known, without the one that is being written. */
export const completeNames = (context: CompletionContext): CompletionResult | null => {
  const before = context.matchBefore(/\{\{[#^/]?\s*[\p{L}\p{N}_]*/u);
  if (!before) return null;
  const [start = ''] = /^\{\{[#^/]?\s*/.exec(before.text) ?? [];
  const text = context.state.doc.toString();
  const around = text.slice(0, before.from) + text.slice(context.pos);
  const names = new Set([...context.state.facet(namesFacet), ...namesOf(around)]);
  names.delete(before.text.slice(start.length));
  if (names.size === 0) return null;
  return { from: before.from + start.length, options: [...names].map(optionOf), validFor: /^[\p{L}\p{N}_]*$/u };
};

export const templateLanguage: Extension = [templateMarks, declaredNames];
