import type { Repository, SelectQueryBuilder } from 'typeorm';
import { tagsOfFilter } from '../../contract/list-query.js';
import { SORTABLE_FIELDS, type ModelConfigQuery } from '../../contract/model-config-query.contract.js';
import { contains } from '../database/like.js';
import type { ModelConfigEntity } from './model-config.entity.js';

type Sortable = (typeof SORTABLE_FIELDS)[number];

const PROPERTY_OF: Record<Sortable, keyof ModelConfigEntity> = {
  alias: 'alias',
  provider: 'provider',
  model_name: 'modelName',
  display_name: 'displayName',
  status: 'status',
  priority: 'priority',
  usage_count: 'usageCount',
  error_count: 'errorCount',
  last_used_at: 'lastUsedAt',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
};

const NULLABLE: ReadonlySet<Sortable> = new Set(['display_name', 'last_used_at']);

const DEFAULT_SORT = '-priority,alias';

const FLAGS = {
  is_local: 'isLocal',
  supports_files: 'supportsFiles',
  supports_images: 'supportsImages',
  supports_videos: 'supportsVideos',
  supports_audio: 'supportsAudio',
  provider: 'provider',
  status: 'status',
} as const satisfies Partial<Record<keyof ModelConfigQuery, keyof ModelConfigEntity>>;

const addFilters = (builder: SelectQueryBuilder<ModelConfigEntity>, query: ModelConfigQuery): void => {
  for (const [name, property] of Object.entries(FLAGS) as [keyof typeof FLAGS, string][]) {
    if (query[name] !== undefined) builder.andWhere(`config.${property} = :${name}`, { [name]: query[name] });
  }
  // One condition each: two values of one key match nothing, instead of the last one winning.
  for (const [index, filter] of [query.tag ?? []].flat().entries()) {
    builder.andWhere(`config.tags @> :tag${index}`, { [`tag${index}`]: JSON.stringify(tagsOfFilter(filter)) });
  }
  if (query.q !== undefined) {
    const columns = ['alias', 'modelName', 'displayName', 'description'].map((name) => `config.${name} ILIKE :q`);
    builder.andWhere(`(${columns.join(' OR ')})`, { q: contains(query.q) });
  }
};

/**
 * The planner takes jsonb for cheap to compare: for a page of tagged configs it would walk through all of them in the
 * order of priorities instead of using the index of the tags. No index has this expression, so it cannot.
 */
const UNINDEXED_PRIORITY = 'config.priority + 0';

const orderOf = (builder: SelectQueryBuilder<ModelConfigEntity>, query: ModelConfigQuery, field: Sortable): string => {
  if (field !== 'priority' || query.tag === undefined) return `config.${PROPERTY_OF[field]}`;
  builder.addSelect(UNINDEXED_PRIORITY, 'unindexed_priority');
  return 'unindexed_priority';
};

const addOrder = (builder: SelectQueryBuilder<ModelConfigEntity>, query: ModelConfigQuery): void => {
  const sort = query.sort ?? DEFAULT_SORT;
  for (const part of sort.split(',')) {
    const direction = part.startsWith('-') ? 'DESC' : 'ASC';
    const field = part.replace(/^-/, '') as Sortable;
    // Said only where it means something: an index does not serve an order that says more than its own.
    const nulls = NULLABLE.has(field) ? (direction === 'DESC' ? 'NULLS LAST' : 'NULLS FIRST') : undefined;
    builder.addOrderBy(orderOf(builder, query, field), direction, nulls);
  }
  // Equal rows must not change places from page to page.
  if (!/(?:^|,)-?alias(?:,|$)/.test(sort)) builder.addOrderBy('config.alias', 'ASC');
};

/** One page and the number of all matches, both by the database. */
export const listConfigs = async (
  repository: Repository<ModelConfigEntity>,
  query: ModelConfigQuery,
  { skip, limit }: { skip: number; limit: number },
): Promise<[ModelConfigEntity[], number]> => {
  const builder = repository.createQueryBuilder('config');
  addFilters(builder, query);
  addOrder(builder, query);
  // On two connections: counting takes as long as reading.
  return Promise.all([builder.clone().offset(skip).limit(limit).getMany(), builder.orderBy().getCount()]);
};
