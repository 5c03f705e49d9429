import type { AlertKind } from '../../../contract/alert-kinds.js';
import type { CredentialError } from '../../model-config/model-config.entity.js';
import { HistogramSum } from '../../usage/packed-histogram.js';
import type { Figure } from './advance.js';
import type { Readings } from './readings.js';
import type { RuleScope } from './rule-scope.js';
import type { UsagePart } from './usage-parts.js';
import { isBadFigure, scopeText, type WatchedRule } from './watched-rule.js';

const MINUTE = 60_000;
const P95 = [0.95];
/** Of a figure that is no whole number. */
const DIGITS = 6;
/** Of a cost; `numeric(30,12)` has as many. */
const COST_PLACES = 12;

/** By subject; a subject without one has too little to tell. null: nothing is known of this minute, whatever the subject. */
export type Figures = ReadonlyMap<string, Figure> | null;

type FiguresOf = (rule: WatchedRule, readings: Readings, scope: RuleScope) => Figures;

const figureOf = (rule: WatchedRule, value: number, calls: number | null): Figure => ({
  value: Number.isInteger(value) ? value : Number(value.toPrecision(DIGITS)),
  calls,
  isBad: isBadFigure(rule, value),
});

const sumOf = (parts: readonly UsagePart[], field: 'calls' | 'faults' | 'refusals' | 'firstByteCalls'): number =>
  parts.reduce((sum, part) => sum + part[field], 0);

/** Of every model with enough calls in the window. */
const figuresByModel =
  (
    counted: 'calls' | 'firstByteCalls',
    valueOf: (parts: readonly UsagePart[], calls: number) => number | null,
  ): FiguresOf =>
  (rule, readings, scope) => {
    const figures = new Map<string, Figure>();
    for (const [alias, parts] of readings.usageOf(rule, scope)) {
      const calls = sumOf(parts, counted);
      const value = calls > 0 && calls >= (rule.minCalls ?? 0) ? valueOf(parts, calls) : null;
      if (value !== null) figures.set(alias, figureOf(rule, value, calls));
    }
    return figures;
  };

const shareOf =
  (field: 'faults' | 'refusals') =>
  (parts: readonly UsagePart[], calls: number): number =>
    (100 * sumOf(parts, field)) / calls;

/** Worked in by one model after the other. */
const scratch = new HistogramSum();
const percentileOf =
  (field: 'latency' | 'firstByte') =>
  (parts: readonly UsagePart[]): number | null => {
    for (const part of parts) scratch.add(part[field], 1);
    return scratch.takeQuantiles(P95)?.[0] ?? null;
  };

/** Of all calls in scope together. */
const figureOfScope =
  (valueOf: (parts: readonly UsagePart[], calls: number) => number): FiguresOf =>
  (rule, readings, scope) => {
    const parts = readings.usageOf(rule, scope).flatMap(([, ofModel]) => ofModel);
    const calls = sumOf(parts, 'calls');
    return new Map([[scopeText(rule), figureOf(rule, valueOf(parts, calls), calls)]]);
  };

/** Added up exactly: a hundred times one cent is a dollar, not a little less. */
const spentOf = (parts: readonly UsagePart[]): number =>
  Number(`${parts.reduce((sum, { cost }) => sum + cost, 0n)}e-${COST_PLACES}`);

const stateFigure = (isBad: boolean): Figure => ({ value: null, calls: null, isBad });

/** Known for the present only. */
const credentialFigures =
  (error: CredentialError): FiguresOf =>
  (_rule, { models, minute }, scope) => {
    if (!minute.isPresent) return null;
    const figures = new Map<string, Figure>();
    for (const [alias, model] of scope.onlyAlias(models)) {
      if (model.isEnabled && scope.hasModel(model)) figures.set(alias, stateFigure(model.credentialError === error));
    }
    return figures;
  };

const testFigures: FiguresOf = (rule, { models, tests, minute }, scope) => {
  const from = minute.end.getTime() - (rule.windowMinutes ?? 0) * MINUTE;
  const figures = new Map<string, Figure>();
  for (const [alias, { minute: tested, isFailing }] of scope.onlyAlias(tests)) {
    const model = models.get(alias);
    if (model && scope.hasModel(model) && tested.getTime() >= from) figures.set(alias, stateFigure(isFailing));
  }
  return figures;
};

const instanceFigures: FiguresOf = (rule, { instances, minute }) =>
  minute.isPresent
    ? new Map(
        instances.map(({ id, host, secondsBehind }) => [
          `${host} ${id.slice(0, 8)}`,
          figureOf(rule, Math.round(secondsBehind), null),
        ]),
      )
    : null;

const FIGURES: Record<AlertKind, FiguresOf> = {
  error_rate: figuresByModel('calls', shareOf('faults')),
  rate_limited: figuresByModel('calls', shareOf('refusals')),
  latency_p95: figuresByModel('calls', percentileOf('latency')),
  first_token_p95: figuresByModel('firstByteCalls', percentileOf('firstByte')),
  no_calls: figureOfScope((_parts, calls) => calls),
  spend: figureOfScope(spentOf),
  bad_credential: credentialFigures('rejected'),
  undecryptable_secret: credentialFigures('undecryptable'),
  failing_test: testFigures,
  stale_instance: instanceFigures,
  storage_degraded: (rule, { minute }) => new Map([['hub', figureOf(rule, minute.backlog, null)]]),
};

/** What the minute says of everything that a rule looks at. */
export const figuresOf: FiguresOf = (rule, readings, scope) => FIGURES[rule.kind](rule, readings, scope);
