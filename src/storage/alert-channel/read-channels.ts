import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import { AlertChannelEntity } from './alert-channel.entity.js';

/** Channels with their sealed secrets, for whoever opens them or tells whether they open. */
export const readChannels = (manager: EntityManager): SelectQueryBuilder<AlertChannelEntity> =>
  manager.createQueryBuilder(AlertChannelEntity, 'channel').addSelect(['channel.url', 'channel.secret']);
