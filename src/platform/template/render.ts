import { PROMPT_LIMITS } from '../../contract/prompt-limits.js';
import type { Piece, Section, TemplateNode } from './parser.js';
import type { TemplateTextError } from './template-errors.js';
import {
  TemplateError,
  type TemplateProblem,
  type TemplateProblemCode,
  type TemplateWarning,
} from './template-problems.js';
import { compileTemplate, type CompiledTemplate, type TemplateSource } from './template.js';
import { bindValues, NOTHING, type BoundValue } from './values.js';

const { outputBytes, outputPieces } = PROMPT_LIMITS;

export interface RenderedTemplate {
  text: string;
  /** Values that no variable asked for; at most 20 of them are named. */
  warnings: TemplateWarning[];
}

/**
 * Writes a template's text with `values` in it. A value is data: it is not looked at again, whatever is in it.
 *
 * Throws a `TemplateError` that names everything that is wrong: errors of the text, names it uses that are not declared,
 * and values that are missing or do not fit. Or, of these alone, that the text comes to more than its caps.
 */
export const renderTemplate = (
  template: CompiledTemplate | TemplateSource,
  values: Readonly<Record<string, unknown>>,
): RenderedTemplate => {
  const compiled = 'nodes' in template ? template : compileTemplate(template);
  const bound = bindValues(compiled.variables, values);
  const problems = [...compiled.errors.map(problemOfText), ...bound.problems];
  if (problems.length > 0) throw new TemplateError(problems);
  const writer = new Writer(bound.values);
  writer.write(compiled.nodes, NOTHING.piece);
  return { text: writer.text, warnings: bound.warnings };
};

const problemOfText = ({ code, name, line, column, message }: TemplateTextError): TemplateProblem =>
  code === 'undeclared_variable'
    ? { field: `variables.${name}`, message, code }
    : { field: 'text', message: `Line ${line}, column ${column}: ${message}`, code };

/** Collects the pieces of the text, and stops at the caps before there is a text to hold. */
class Writer {
  private readonly pieces: string[] = [];
  private bytes = 0;
  private count = 0;

  constructor(private readonly values: ReadonlyMap<string, BoundValue>) {}

  /** `item` is what `{{.}}` stands for. */
  write(nodes: readonly TemplateNode[], item: Piece): void {
    // A pass over nothing counts too: lists inside lists can repeat an empty section for hours.
    this.count += nodes.length + 1;
    if (this.count > outputPieces) refuse('too_many_repetitions', `be written in at most ${outputPieces} pieces`);
    for (const node of nodes) {
      if (node.kind === 'text') this.add(node);
      else if (node.kind === 'item') this.add(item);
      else if (node.kind === 'value') this.add(this.valueOf(node.name).piece);
      else this.writeSection(node, item);
    }
  }

  get text(): string {
    return this.pieces.join('');
  }

  private writeSection({ name, isInverted, children }: Section, item: Piece): void {
    const { isShown, entries } = this.valueOf(name);
    if (isShown === isInverted) return;
    if (isInverted || !entries) this.write(children, item);
    else for (const entry of entries) this.write(children, entry);
  }

  private add({ text, bytes }: Piece): void {
    this.bytes += bytes;
    if (this.bytes > outputBytes) refuse('output_too_long', `come to at most ${outputBytes} bytes`);
    this.pieces.push(text);
  }

  private valueOf(name: string): BoundValue {
    return this.values.get(name) ?? NOTHING;
  }
}

const refuse = (code: TemplateProblemCode, says: string): never => {
  throw new TemplateError([{ field: 'text', message: `The text with its values must ${says}`, code }]);
};
