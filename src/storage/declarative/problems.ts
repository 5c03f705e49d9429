import { AppError, type FieldProblem } from '../../platform/errors/app-error.js';

const MAX_SHOWN = 100;

/** Refused before anything of the object is written; whatever else is thrown ends the import at once. */
const COLLECTABLE = new Set<AppError['code']>([
  'validation_failed',
  'masked_api_key',
  'api_base_required',
  'api_base_not_allowed',
  'credential_required',
  'secret_reference_unresolved',
  'sealed_secret_unreadable',
  'default_prompt_not_usable',
  'prompt_template_invalid',
  'prompt_in_use',
  'label_protected',
  'version_not_found',
]);

/** Everything that is wrong with a document, so that it can be mended at once. */
export class Problems {
  private readonly codes = new Set<AppError['code']>();
  private readonly fields: FieldProblem[] = [];

  add(code: AppError['code'], path: string, message: string): void {
    this.codes.add(code);
    this.fields.push({ field: path, message });
  }

  /** Does a piece of the work; what is refused is noted under its path, and the others go on. */
  async collect<Result>(path: string, work: () => Promise<Result>): Promise<Result | null> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (!COLLECTABLE.has(error.code)) throw withPath(error, path);
      const fields = error.fields ?? [{ field: '', message: error.detail }];
      for (const { field, message } of fields) this.add(error.code, field === '' ? path : `${path}.${field}`, message);
      return null;
    }
  }

  throwIfAny(): void {
    if (this.fields.length === 0) return;
    const [code] = this.codes;
    const shown = this.fields.slice(0, MAX_SHOWN);
    const more = this.fields.length - shown.length;
    throw new AppError(this.codes.size === 1 && code ? code : 'import_refused', {
      detail: `Nothing was changed. ${this.fields.length} of the document's values are refused; the first: ${shown[0]?.field}: ${shown[0]?.message}.${more > 0 ? ` ${MAX_SHOWN} of them are listed.` : ''}`,
      fields: shown,
    });
  }
}

const withPath = (error: AppError, path: string): AppError =>
  new AppError(error.code, {
    detail: `Nothing was changed. ${path}: ${error.detail}`,
    headers: error.headers,
    extensions: error.extensions,
    cause: error,
    ...(error.fields && {
      fields: error.fields.map(({ field, message }) => ({ field: `${path}.${field}`, message })),
    }),
  });
