import type { ConfigurationSource } from '../../contract/instance.contract.js';
import type { DependencyHealth } from '../../platform/health/health-registry.js';

/** How old what the directory knows is. Times are milliseconds since 1970. */
export interface DirectoryFreshness {
  /** null: nothing is known yet. */
  revision: number | null;
  models: number;
  /** Who told; null: nobody yet. */
  source: ConfigurationSource | null;
  /** When storage last told that this is the newest; null: never. */
  contactAt: number | null;
  /** When the file was written that it is from; null: it is not from a file. */
  savedAt: number | null;
  isStorageAway: boolean;
}

/** `degraded`: calls are answered, but nobody knows whether from the newest. */
export const directoryStatus = ({
  revision,
  source,
  isStorageAway,
}: DirectoryFreshness): DependencyHealth['status'] => {
  if (revision === null) return 'down';
  return isStorageAway || source === 'file' ? 'degraded' : 'up';
};

/** Seconds since it was known to be the newest; null: nothing is known. */
export const ageOf = ({ contactAt, savedAt }: DirectoryFreshness): number | null => {
  const knownAt = contactAt ?? savedAt;
  return knownAt === null ? null : Math.max(0, Date.now() - knownAt) / 1000;
};

export const timeOf = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : new Date(milliseconds).toISOString();

/** How the directory is, as it is told. */
export interface DirectoryDescription {
  status: DependencyHealth['status'];
  revision: number | null;
  models: number;
  source: ConfigurationSource | null;
  /** RFC 3339, as all times here; null: it is not from a file. */
  saved_at: string | null;
  last_contact_at: string | null;
  age_seconds: number | null;
}

export const describeDirectory = (freshness: DirectoryFreshness): DirectoryDescription => ({
  status: directoryStatus(freshness),
  revision: freshness.revision,
  models: freshness.models,
  source: freshness.source,
  saved_at: timeOf(freshness.savedAt),
  last_contact_at: timeOf(freshness.contactAt),
  age_seconds: ageOf(freshness),
});
