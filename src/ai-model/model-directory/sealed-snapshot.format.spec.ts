import { describe, expect, it } from '@jest/globals';
import { Secret } from '../../platform/secrets/secret.js';
import { openSnapshot } from './sealed-snapshot.js';
import { snapshotKeyOf } from './snapshot-keys.js';

// Made from the written format, not by the code that is tested. Frozen: a file that a process of before has left must be
// of use to the next one. Never adapt the text to the code; another format has another number.
const GOLDEN =
  'aHViLWxrZwoAAQAAAaDEUGx7AAABoMRQbcjgmFM4G0GZbMDBwsPExcbHyMnKy32bMjq72CnV1rQcQ3SfablOAVxqGs+YbaSrpdngTNwJ+0k=';

describe('the format of the last-known-good file is frozen', () => {
  it('the golden file opens, under the key of its service token', () => {
    const key = snapshotKeyOf(Secret.of('golden-service-token-0123456789abcdef'));
    const opened = openSnapshot([key], Buffer.from(GOLDEN, 'base64'));
    if (typeof opened === 'string') throw new Error(opened);
    expect(opened.content.toString('utf8')).toBe('what was known ✓');
    expect(opened.header).toMatchObject({ revision: 1_790_000_000_123, savedAt: 1_790_000_000_456 });
  });
});
