import { tagsOfFilter } from '../../contract/list-query.js';
import type { SnapshotBudget, SnapshotModel } from '../../contract/snapshot.contract.js';
import { AppError } from '../../platform/errors/app-error.js';

interface Refusing {
  budget: SnapshotBudget;
  /** Milliseconds since 1970. */
  until: number;
}

type OfModel = Refusing & { isOf: (model: SnapshotModel) => boolean };

const hasTag = (filter: string): OfModel['isOf'] => {
  const [[name, value] = ['', '']] = Object.entries(tagsOfFilter(filter));
  return ({ tags }) => Object.hasOwn(tags, name) && tags[name] === value;
};

const ofModel = (refusing: Refusing): OfModel => {
  const { scope, scope_value: wanted } = refusing.budget;
  return { ...refusing, isOf: scope === 'tag' ? hasTag(wanted ?? '') : ({ alias }) => alias === wanted };
};

/**
 * The budgets that refuse calls, as of one snapshot. Each ends with its period, by the clock of this process: nobody has to be
 * asked for that.
 */
export class ExhaustedBudgets {
  private readonly ofCalls: readonly Refusing[];
  private readonly ofModels: readonly OfModel[];

  private constructor(refusing: readonly Refusing[]) {
    const isOfModels = ({ budget: { scope } }: Refusing): boolean => scope === 'alias' || scope === 'tag';
    this.ofCalls = refusing.filter((one) => !isOfModels(one));
    this.ofModels = refusing.filter(isOfModels).map(ofModel);
  }

  /** null: there is none, and nothing to look up. */
  static of(budgets: readonly SnapshotBudget[]): ExhaustedBudgets | null {
    if (budgets.length === 0) return null;
    return new ExhaustedBudgets(budgets.map((budget) => ({ budget, until: Date.parse(budget.until) })));
  }

  /** The budget that refuses every call with this token; null: none does. */
  refusing(tokenId: string | undefined, now = Date.now()): SnapshotBudget | null {
    const isOf = ({ scope, scope_value: id }: SnapshotBudget): boolean => scope === 'all' || id === tokenId;
    return this.ofCalls.find(({ until, budget }) => until > now && isOf(budget))?.budget ?? null;
  }

  /** The budget that keeps this model from being called; null: none does. */
  closing(model: SnapshotModel, now = Date.now()): SnapshotBudget | null {
    return this.ofModels.find(({ until, isOf }) => until > now && isOf(model))?.budget ?? null;
  }
}

const WHOSE: Record<SnapshotBudget['scope'], (value: string) => string> = {
  all: () => 'of all calls',
  alias: (alias) => `of the model ${alias}`,
  tag: (tag) => `of the models with the tag ${tag}`,
  token: () => 'of this token',
};

/** A client that tried again would be refused until the period ends, so none is asked to. */
export const budgetExceeded = ({ name, scope, scope_value: value, until }: SnapshotBudget): AppError =>
  new AppError('budget_exceeded', {
    detail: `The budget ${name} ${WHOSE[scope](value ?? '')} is used up until ${until}.`,
    headers: { 'x-should-retry': 'false' },
  });
