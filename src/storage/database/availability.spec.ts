import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Availability, DatabaseAway, probeOf } from './availability.js';
import { isDatabaseUnavailable } from './database-errors.js';

const failure = (code: string): Error => Object.assign(new Error('from the server'), { code });

describe('Availability', () => {
  let probes: number;
  let outcome: Error | null;
  let availability: Availability;
  beforeEach(() => {
    Logger.overrideLogger(false);
    probes = 0;
    outcome = null;
    availability = new Availability(() => {
      probes += 1;
      return outcome ? Promise.reject(outcome) : Promise.resolve();
    });
  });
  afterEach(() => availability.stop());

  const until = async (isSo: () => boolean): Promise<void> => {
    for (const end = Date.now() + 5000; !isSo() && Date.now() < end;) await sleep(5);
    expect(isSo()).toBe(true);
  };

  it('never takes a server that answers for away, however many requests fail', async () => {
    for (let number = 0; number < 1000; number += 1) availability.suspect();
    await sleep(20);
    expect(availability).toMatchObject({ isAway: false, outages: 0 });
    expect(probes).toBe(1);
  });

  it.each(['53300', '53200', '28P01', '3D000'])('takes a server that refuses with %s for there', async (code) => {
    outcome = failure(code);
    availability.suspect();
    await until(() => probes === 1);
    await sleep(5);
    expect(availability.isAway).toBe(false);
  });

  it.each(['57P01', '57P03', '08006', 'ECONNREFUSED', 'ECONNRESET'])(
    'is away after %s, asks by itself, and is there again with the first answer',
    async (code) => {
      outcome = failure(code);
      availability.suspect();
      await until(() => availability.isAway);
      await until(() => probes >= 2);
      expect(availability).toMatchObject({ isAway: true, outages: 1 });
      outcome = null;
      await until(() => !availability.isAway);
      expect(availability.outages).toBe(1);
      const asked = probes;
      await sleep(600);
      expect(probes).toBe(asked);
    },
  );

  it('counts each outage, and asks no more once it is stopped', async () => {
    for (const outages of [1, 2]) {
      outcome = failure('ECONNREFUSED');
      await until(() => {
        availability.suspect();
        return availability.isAway;
      });
      expect(availability.outages).toBe(outages);
      outcome = null;
      await until(() => !availability.isAway);
    }
    availability.stop();
    availability.suspect();
    const asked = probes;
    await sleep(400);
    expect(probes).toBe(asked);
  });

  it('is away when the server takes the connection and says nothing', async () => {
    const server = createServer((socket) => void socket.on('error', () => undefined).resume());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const nobody = { host: '127.0.0.1', port, user: 'x', password: undefined, database: 'x', ssl: undefined };
    const frozen = new Availability(probeOf(nobody));
    frozen.suspect();
    await until(() => frozen.isAway);
    frozen.stop();
    await new Promise((resolve) => server.close(resolve));
  });

  it('says what everybody understands as a database that is away', () => {
    expect(isDatabaseUnavailable(new DatabaseAway())).toBe(true);
  });
});
