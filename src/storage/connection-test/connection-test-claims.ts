import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import {
  type ConnectionTestClaim,
  type ConnectionTestGrant,
  MOST_CLAIMED_TESTS,
} from '../../contract/connection-test.contract.js';
import { LEVELS } from '../usage/usage-levels.js';

/** Longer than the tests of one claim take; whoever has the turn takes it again with each claim. */
const HELD = "interval '10 minutes'";
const TODAY = "(now() AT TIME ZONE 'UTC')::date";

/** Locks the row until the commit, so that claims come one after the other. */
const TAKE_TURN = `UPDATE scheduled_tests
  SET holder = $1, held_until = now() + ${HELD}, used = CASE WHEN day = ${TODAY} THEN used ELSE 0 END, day = ${TODAY}
  WHERE holder = $1 OR holder IS NULL OR held_until < now()
  RETURNING used`;

/** Callable models that neither answered nor were tested of late, best first. */
const FIND_DUE = `SELECT config.id FROM ai_model_configs AS config
  WHERE config.status IN ('configured', 'error') AND config.credential_error IS DISTINCT FROM 'undecryptable'
    AND config.provider::text = ANY ($1::text[])
    AND NOT EXISTS (
      SELECT 1 FROM usage_series AS series JOIN usage_minutes AS minutes ON minutes.series_id = series.id
      WHERE series.config_id = config.id AND series.level = ${LEVELS.kind} AND minutes.level = ${LEVELS.kind}
        AND (series.outcome = 'ok' OR series.source = 'test')
        AND minutes.start > now() - make_interval(mins => $2))
  ORDER BY config.priority DESC, config.alias LIMIT $3`;

const COUNT = 'UPDATE scheduled_tests SET used = used + $1';

/** Hands out scheduled tests: to one process at a time, and no more than the day allows. */
@Injectable()
export class ConnectionTestClaims {
  constructor(private readonly dataSource: DataSource) {}

  grant(claim: ConnectionTestClaim): Promise<ConnectionTestGrant> {
    return this.dataSource.transaction(async (manager) => {
      const [turns] = await manager.query<[{ used: number }[], number]>(TAKE_TURN, [claim.holder]);
      const [turn] = turns;
      const left = turn ? claim.per_day - turn.used : 0;
      return { config_ids: left > 0 ? await handOut(manager, claim, Math.min(left, MOST_CLAIMED_TESTS)) : [] };
    });
  }
}

const handOut = async (manager: EntityManager, claim: ConnectionTestClaim, most: number): Promise<string[]> => {
  const rows = await manager.query<{ id: string }[]>(FIND_DUE, [claim.providers, claim.interval_minutes, most]);
  await manager.query(COUNT, [rows.length]);
  return rows.map(({ id }) => id);
};
