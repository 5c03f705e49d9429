import { LessThanOrEqual, MoreThan, type EntityManager } from 'typeorm';
import { AlertSilenceEntity } from './alert.entities.js';

/** Silences that have begun and not ended at that time; there are MAX_OPEN_SILENCES at most. */
export const silencesAt = (manager: EntityManager, at: Date): Promise<AlertSilenceEntity[]> =>
  manager.findBy(AlertSilenceEntity, { startsAt: LessThanOrEqual(at), endsAt: MoreThan(at) });
