import { IntegerField, TextField, TextListField } from './fields.js';
import { PROVIDERS, type Provider } from './providers.js';

/** Tests that are handed out at once. */
export const MOST_CLAIMED_TESTS = 20;

/** Body of `POST /internal/v1/connection-tests`: which models a process may test now. */
export class ConnectionTestClaim {
  @TextField({
    required: true,
    max: 36,
    pattern: /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i,
    form: 'a UUID that the process has chosen',
  })
  holder: string;

  @IntegerField({ required: true, min: 1, max: 1440, description: 'A model that answered in this time needs no test' })
  interval_minutes: number;

  @IntegerField({ required: true, min: 1, max: 100_000, description: 'Tests per UTC day, of all processes together' })
  per_day: number;

  @TextListField({
    required: true,
    maxItems: PROVIDERS.length,
    itemMax: 50,
    pattern: new RegExp(`^(?:${PROVIDERS.join('|')})$`),
    form: `one of ${PROVIDERS.join(', ')}`,
    description: 'Providers whose models the process can call',
  })
  providers: Provider[];
}

/** Empty: nothing is due, the day's tests are used up, or another process has the turn. */
export interface ConnectionTestGrant {
  config_ids: string[];
}
