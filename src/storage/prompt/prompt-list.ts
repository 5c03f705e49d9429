import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import { tagsOfFilter } from '../../contract/list-query.js';
import { LATEST_LABEL } from '../../contract/prompt-names.js';
import { SORTABLE_PROMPT_FIELDS, type PromptQuery } from '../../contract/prompt-query.contract.js';
import { contains } from '../database/like.js';
import { SystemPromptTemplateEntity } from './system-prompt-template.entity.js';

type Sortable = (typeof SORTABLE_PROMPT_FIELDS)[number];
type Builder = SelectQueryBuilder<SystemPromptTemplateEntity>;

const PROPERTY_OF: Record<Sortable, keyof SystemPromptTemplateEntity> = {
  name: 'name',
  display_name: 'displayName',
  category: 'category',
  language: 'language',
  priority: 'priority',
  latest_version: 'latestVersion',
  usage_count: 'usageCount',
  last_used_at: 'lastUsedAt',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
};

const DEFAULT_SORT = '-priority,name';

const EQUAL = {
  category: 'category',
  language: 'language',
  is_active: 'isActive',
  is_public: 'isPublic',
} as const satisfies Partial<Record<keyof PromptQuery, keyof SystemPromptTemplateEntity>>;

const HAS_LABEL = `EXISTS (SELECT 1 FROM system_prompt_template_labels AS held
  WHERE held.template_id = prompt.id AND held.label = :label)`;
const IS_DEFAULT_OF = `EXISTS (SELECT 1 FROM ai_model_configs AS model
  WHERE model.system_prompt_name = prompt.name AND model.alias = :alias)`;
const FOUND = `(prompt.name ILIKE :q OR prompt.displayName ILIKE :q OR prompt.description ILIKE :q
  OR EXISTS (SELECT 1 FROM system_prompt_template_versions AS latest WHERE latest.template_id = prompt.id
    AND latest.version = prompt.latestVersion AND latest.prompt_content ILIKE :q))`;

const addFilters = (builder: Builder, query: PromptQuery): void => {
  for (const [name, property] of Object.entries(EQUAL) as [keyof typeof EQUAL, string][]) {
    if (query[name] !== undefined) builder.andWhere(`prompt.${property} = :${name}`, { [name]: query[name] });
  }
  if (query.active_only) builder.andWhere('prompt.isActive');
  // One condition each: two values of one key match nothing, instead of the last one winning.
  for (const [index, filter] of [query.tag ?? []].flat().entries()) {
    builder.andWhere(`prompt.tags @> :tag${index}`, { [`tag${index}`]: JSON.stringify(tagsOfFilter(filter)) });
  }
  // Every prompt has a latest version.
  if (query.label !== undefined && query.label !== LATEST_LABEL) builder.andWhere(HAS_LABEL, { label: query.label });
  if (query.model_alias !== undefined) builder.andWhere(IS_DEFAULT_OF, { alias: query.model_alias });
  if (query.q !== undefined) builder.andWhere(FOUND, { q: contains(query.q) });
};

const addOrder = (builder: Builder, sort: string): void => {
  for (const part of sort.split(',')) {
    const property = PROPERTY_OF[part.replace(/^-/, '') as Sortable];
    const [direction, nulls] = part.startsWith('-')
      ? (['DESC', 'NULLS LAST'] as const)
      : (['ASC', 'NULLS FIRST'] as const);
    builder.addOrderBy(`prompt.${property}`, direction, nulls);
  }
  // Equal rows must not change places from page to page.
  builder.addOrderBy('prompt.id', 'ASC');
};

/** One page and the number of all matches, both by the database. */
export const listPrompts = (
  manager: EntityManager,
  query: PromptQuery,
  { skip, limit }: { skip: number; limit: number },
): Promise<[SystemPromptTemplateEntity[], number]> => {
  const builder = manager.createQueryBuilder(SystemPromptTemplateEntity, 'prompt');
  addFilters(builder, query);
  addOrder(builder, query.sort ?? DEFAULT_SORT);
  return builder.offset(skip).limit(limit).getManyAndCount();
};
