import { createHash } from 'node:crypto';
import type {
  DocumentFormat,
  ImportPlan,
  MissingSecret,
  PlanAction,
  PlanItem,
  ReportEntry,
} from '../../contract/declarative.contract.js';
import { changesBetween, type FieldChange } from '../../contract/history.contract.js';
import { inOrder } from './document.js';

type State = Readonly<Record<string, unknown>> | null;

const actionOf = (before: State, after: State, changes: FieldChange[]): PlanAction => {
  if (before === null && after !== null) return 'create';
  if (before !== null && after === null) return 'delete';
  return changes.length > 0 ? 'change' : 'unchanged';
};

/** What an import does, noted while it is done, in the terms of the history. */
export class Plan {
  private readonly items: PlanItem[] = [];
  private readonly missing: MissingSecret[] = [];

  /** Notes what became of one model or prompt; both states null: nothing. */
  add(item: Pick<PlanItem, 'kind' | 'name' | 'notes'> & { action?: PlanAction }, before: State, after: State): void {
    const changes = changesBetween(before, after);
    this.items.push({ action: actionOf(before, after, changes), ...item, changes });
  }

  addMissing(secret: MissingSecret): void {
    this.missing.push(secret);
  }

  /** The answer; `revision` is not known in here. */
  finish(format: DocumentFormat, report: ReportEntry[], isDryRun: boolean): ImportPlan {
    const items = this.items.toSorted((one, other) => inOrder(one.kind, other.kind) || inOrder(one.name, other.name));
    const count = (action: PlanAction): number => items.filter((item) => item.action === action).length;
    return {
      dry_run: isDryRun,
      format,
      summary: {
        create: count('create'),
        change: count('change'),
        delete: count('delete'),
        unchanged: count('unchanged'),
      },
      items,
      report,
      missing_secrets: this.missing,
      plan_digest: createHash('sha256').update(JSON.stringify(items)).digest('hex'),
      revision: null,
    };
  }
}
