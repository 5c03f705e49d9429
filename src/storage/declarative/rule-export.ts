import type { EntityManager } from 'typeorm';
import { AlertRuleEntity } from '../alert/alert-rule.entity.js';
import { toRuleState } from '../alert/alert-rule.mapper.js';
import { inOrder, RULE_FIELDS } from './document.js';

/** Every alert rule by name. There are MAX_ALERT_RULES at most, which any import takes. */
export const exportAlertRules = async (manager: EntityManager): Promise<object[]> => {
  const rows = await manager.find(AlertRuleEntity);
  return rows.sort((one, other) => inOrder(one.name, other.name)).map(toEntry);
};

const toEntry = (row: AlertRuleEntity): object => {
  const state = toRuleState(row);
  return Object.fromEntries(RULE_FIELDS.map((field) => [field, state[field]]));
};
