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

const addOrder = (builder: SelectQueryBuilder<ModelConfigEntity>, sort: string): void => {
  for (const part of sort.split(',')) {
    const isDescending = part.startsWith('-');
    const property = PROPERTY_OF[part.replace(/^-/, '') as Sortable];
    builder.addOrderBy(
      `config.${property}`,
      isDescending ? 'DESC' : 'ASC',
      isDescending ? 'NULLS LAST' : 'NULLS FIRST',
    );
  }
  // Equal rows must not change places from page to page.
  builder.addOrderBy('config.id', 'ASC');
};

/** One page and the number of all matches, both by the database. */
export const listConfigs = (
  repository: Repository<ModelConfigEntity>,
  query: ModelConfigQuery,
  { skip, limit }: { skip: number; limit: number },
): Promise<[ModelConfigEntity[], number]> => {
  const builder = repository.createQueryBuilder('config');
  addFilters(builder, query);
  addOrder(builder, query.sort ?? DEFAULT_SORT);
  return builder.offset(skip).limit(limit).getManyAndCount();
};
