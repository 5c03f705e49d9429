import { createHash } from 'node:crypto';
import type {
  DocumentFormat,
  ImportPlan,
  MissingSecret,
  PlanAction,
  PlanItem,
  ReportEntry,
} from '../../contract/declarative.contract.js';
import { changesBetween } from '../../contract/history.contract.js';
import type { ChangeRecord, Transaction } from '../database/transaction.js';
import { inOrder } from './document.js';

const actionOf = ({ before, after }: Pick<ChangeRecord, 'before' | 'after'>): PlanAction => {
  if (before === null) return 'create';
  return after === null ? 'delete' : 'change';
};

/** What an import does, noted while it is done: made of the very records that the history gets. */
export class Plan {
  private readonly items: PlanItem[] = [];
  private readonly missing: MissingSecret[] = [];

  /** Does what is to be done with one model or prompt, and notes what was recorded meanwhile. */
  async note(
    transaction: Transaction,
    item: Pick<PlanItem, 'kind' | 'name' | 'notes'>,
    work: () => Promise<unknown>,
  ): Promise<void> {
    const before = transaction.records.length;
    await work();
    const records = transaction.records.slice(before);
    const [first] = records;
    this.items.push({
      ...item,
      action: first ? actionOf(first) : 'unchanged',
      changes: records.flatMap((record) => changesBetween(record.before, record.after)),
    });
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
