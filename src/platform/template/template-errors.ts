import { PROMPT_LIMITS } from '../../contract/prompt-limits.js';
import { PROMPT_SYNTAXES, VARIABLE_NAME_FORM } from '../../contract/prompt-variables.js';

/** Errors listed of one text: enough to work on, however broken it is. */
const MAX_ERRORS = 50;

/** What can be wrong with a text, and what would be right; `name` is the variable meant, where there is one. */
const MESSAGES = {
  text_too_long: () => `The text must have at most ${PROMPT_LIMITS.textBytes} bytes.`,
  syntax_not_supported: () => `The syntax must be one of ${PROMPT_SYNTAXES.join(', ')}.`,
  unclosed_tag: () => 'This "{{" must be closed by "}}" before the next "{{"; two literal braces are written "\\{{".',
  unknown_syntax: () =>
    'Between "{{" and "}}" there must be a name, "#name", "^name", "/name", "." or "! a note": there are no filters, paths, calls, partials or other delimiters. Two literal braces are written "\\{{".',
  bad_name: () => `A name must be ${VARIABLE_NAME_FORM}.`,
  too_deep: () => `Sections must not be nested more than ${PROMPT_LIMITS.sectionDepth} levels deep.`,
  section_not_closed: (name: string) => `This section must be closed by "{{/${name}}}", inside the section around it.`,
  section_mismatch: (name: string) =>
    `"{{/${name}}}" must close a section that "{{#${name}}}" or "{{^${name}}}" opened.`,
  undeclared_variable: (name: string) => `"${name}" must be declared as a variable.`,
  too_many_variables: () => `The text must use at most ${PROMPT_LIMITS.variables} variables.`,
  item_outside_section: () => '"{{.}}" must stand inside a section over a variable of type string[].',
  list_outside_section: (name: string) =>
    `"${name}" is a list: its entries are written "{{#${name}}}{{.}}{{/${name}}}", with what belongs between them.`,
  section_over_number: (name: string) =>
    `"${name}" is a number, which is neither true nor empty: a section must be over another type, such as a boolean beside it.`,
};

export type TemplateErrorCode = keyof typeof MESSAGES;

/** One error of a text. Lines (ended by LF, CRLF or CR) and columns count from 1, columns in code points. */
export interface TemplateTextError {
  line: number;
  column: number;
  code: TemplateErrorCode;
  /** Says what would be right. */
  message: string;
  /** The variable that is meant, null where none is. */
  name: string | null;
}

/** Gathers the errors of one text by offset, up to the bound. */
export class ErrorList {
  private readonly errors: { at: number; code: TemplateErrorCode; name: string | null }[] = [];

  get isFull(): boolean {
    return this.errors.length >= MAX_ERRORS;
  }

  add(code: TemplateErrorCode, at: number, name: string | null = null): void {
    if (!this.isFull) this.errors.push({ at, code, name });
  }

  /** In the order of the text. */
  locatedIn(text: string): TemplateTextError[] {
    const locate = locator(text);
    return this.errors
      .sort((one, other) => one.at - other.at)
      .map(({ at, code, name }) => ({ ...locate(at), code, message: MESSAGES[code](name ?? ''), name }));
  }
}

/** Turns offsets into lines and columns; they must come in ascending order, so that the text is walked through once. */
const locator = (text: string): ((offset: number) => { line: number; column: number }) => {
  let at = 0;
  let line = 1;
  let column = 1;
  return (offset) => {
    while (at < offset) {
      const character = text.codePointAt(at) as number;
      at += character > 0xffff ? 2 : 1;
      const endsLine = character === LINE_FEED || (character === CARRIAGE_RETURN && text.charCodeAt(at) !== LINE_FEED);
      column = endsLine ? 1 : column + 1;
      if (endsLine) line += 1;
    }
    return { line, column };
  };
};

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
