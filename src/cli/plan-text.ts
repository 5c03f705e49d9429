import type { ImportPlan, PlanAction, PlanItem, ReportEntry } from '../contract/declarative.contract.js';

const SIGNS: Record<PlanAction, string> = { create: '+', change: '~', delete: '-', unchanged: ' ' };
const MAX_VALUE = 120;

const valueText = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'null';
  return text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE)}… (${text.length} characters)`;
};

const itemLines = ({ kind, name, action, changes, notes }: PlanItem): string[] => [
  `${SIGNS[action]} ${kind} ${name}`,
  ...(action === 'delete' ? [] : changes).map(({ field, from, to }) =>
    action === 'create' ? `    ${field}: ${valueText(to)}` : `    ${field}: ${valueText(from)} → ${valueText(to)}`,
  ),
  ...notes.map((note) => `    (${note})`),
];

const reportLines = (report: readonly ReportEntry[]): string[] =>
  report.length === 0
    ? []
    : ['', 'Not taken over as it is:', ...report.map(({ level, path, message }) => `  ${level}: ${path} ${message}`)];

export const isEmpty = ({ summary }: ImportPlan): boolean => summary.create + summary.change + summary.delete === 0;

const summaryLine = ({ summary }: ImportPlan): string =>
  `${summary.create} to create, ${summary.change} to change, ${summary.delete} to delete, ${summary.unchanged} unchanged.`;

/** A plan for people: what changes, what was not taken over, and how much it is. */
export const planText = (plan: ImportPlan): string => {
  const shown = plan.items.filter(({ action, notes }) => action !== 'unchanged' || notes.length > 0);
  return [...shown.flatMap(itemLines), ...reportLines(plan.report), '', summaryLine(plan)].join('\n').trimStart();
};
