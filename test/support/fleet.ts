import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InstanceList } from '../../src/contract/instance.contract.js';
import { INSTANCES_PATH, INTERNAL_PATH } from '../../src/contract/paths.js';
import { aModelConfig } from '../factories/model-config.js';
import { call, until, type Answer, type Json } from './calls.js';
import { CanaryScanner, type Finding } from './canary-scanner.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { politeScript, sendJson, startFakeProvider, wholeAnswer, type FakeProvider } from './fake-provider.js';
import { startFaultProxy, type FaultProxy } from './fault-proxy.js';
import { Member } from './fleet-member.js';
import { CONFIGS, randomKeyRing } from './hub.js';
import { startPathGate, type PathGate } from './path-gate.js';

export const CHANGES_PATH = `/${INTERNAL_PATH}/changes`;

/** Not of hexadecimal digits: eight of those are found by chance among many ids. */
const randomSecret = (): string => randomBytes(30).toString('base64url');

/** An AI model process, and the wire between it and its storage process. */
export interface Caller {
  readonly member: Member;
  readonly wire: FaultProxy;
  readonly gate: PathGate;
}

interface Written {
  status: number;
  headers: Headers;
  body: Json;
}

/** Several storage and AI model processes on one database, and a provider that answers with the name of the model it was asked for. */
export class Fleet {
  /** Of the models, in turn. */
  private readonly keys = Array.from({ length: 10 }, randomSecret);
  private created = 0;

  private constructor(
    readonly database: TestDatabase,
    readonly provider: FakeProvider,
    readonly storages: readonly Member[],
    readonly callers: readonly Caller[],
    readonly adminToken: string,
    private readonly serviceToken: string,
    private readonly directory: string,
  ) {}

  static async start({ storages = 2, callers = 4 } = {}): Promise<Fleet> {
    const directory = mkdtempSync(join(tmpdir(), 'hub-fleet-'));
    const [adminToken, serviceToken] = [randomSecret(), randomSecret()];
    const [database, provider] = await Promise.all([createTestDatabase(), startFakeProvider()]);
    provider.answerWith((asked, response) => {
      // Only answers are looked at, and there are many.
      provider.calls.length = 0;
      if (asked.body['stream'] === true) return politeScript(asked, response);
      return sendJson(response, 200, wholeAnswer(String(asked.body['model'])));
    });
    const settings = (role: string, name: string): Record<string, string> => ({
      SERVICE_ROLE: role,
      DATA_DIR: join(directory, name),
      STORAGE_SERVICE_TOKEN: serviceToken,
      ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*',
    });
    const ofStorage = { DATABASE_URL: database.url, ENCRYPTION_KEYS: randomKeyRing(), ADMIN_TOKEN: adminToken };
    const stores: Member[] = [];
    for (let number = 0; number < storages; number += 1) {
      const name = `storage-${number}`;
      stores.push(await Member.start(name, { ...settings('storage', name), ...ofStorage }));
    }
    const asking: Caller[] = [];
    for (let number = 0; number < callers; number += 1) {
      // The first half has the first storage process, and so on.
      const storage = stores[Math.floor((number * storages) / callers)] as Member;
      const gate = await startPathGate(storage.url);
      const wire = await startFaultProxy(gate.url);
      const name = `ai-model-${number}`;
      const member = await Member.start(name, { ...settings('ai-model', name), STORAGE_SERVICE_URL: wire.url });
      asking.push({ member, gate, wire });
    }
    return new Fleet(database, provider, stores, asking, adminToken, serviceToken, directory);
  }

  storage(number: number): Member {
    return this.storages[number % this.storages.length] as Member;
  }

  caller(number: number): Caller {
    return this.callers[number % this.callers.length] as Caller;
  }

  /** A request through the storage process of this number; the admin's. */
  async send(number: number, method: string, path: string, body?: Json): Promise<Written> {
    const answer = await fetch(this.storage(number).url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.adminToken}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text === '' ? {} : (JSON.parse(text) as Json) };
  }

  /** Saves a model of this fleet's provider through a storage process. */
  async createModel(number: number, fields: Json = {}, query = ''): Promise<Json> {
    const apiKey = this.keys[this.created++ % this.keys.length];
    const config = aModelConfig({ api_base: this.provider.url, api_key: apiKey, max_retries: 0, ...fields });
    const { status, body } = await this.send(number, 'POST', CONFIGS + query, config);
    if (status !== 201) throw new Error(`Not saved: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  /** A call through the AI model process of this number. */
  ask(number: number, body: Json): Promise<Answer> {
    return call({ url: this.caller(number).member.url, adminToken: this.adminToken }, body);
  }

  /** The revision that this AI model process answers from; null: none, or it does not answer. */
  async revisionOf(number: number): Promise<number | null> {
    const answer = await fetch(`${this.caller(number).member.url}/health/ready`).catch(() => null);
    if (!answer) return null;
    const { dependencies } = (await answer.json()) as { dependencies: Record<string, { revision?: number | null }> };
    return dependencies['model_directory']?.revision ?? null;
  }

  async instances(number = 0): Promise<InstanceList> {
    return (await this.send(number, 'GET', `/${INSTANCES_PATH}`)).body as unknown as InstanceList;
  }

  /** Until storage says that every AI model process has the newest revision, and each of them says so too. */
  async untilAllCurrent(milliseconds = 10_000): Promise<number> {
    const { revision } = await until(
      () => this.instances(),
      ({ instances, revision: newest }) => {
        const callers = instances.filter(({ role }) => role === 'ai-model');
        return callers.length === this.callers.length && callers.every((one) => one.applied_revision === newest);
      },
      milliseconds,
    );
    const known = await Promise.all(this.callers.map((_caller, number) => this.revisionOf(number)));
    if (known.some((one) => one !== revision)) throw new Error(`${known.join(', ')} instead of ${revision}`);
    return revision;
  }

  /** Every place where a secret of this fleet may be seen: what its processes say, and what they keep. */
  scan(): Finding[] {
    const secrets = [this.adminToken, this.serviceToken, ...this.keys];
    const scanner = new CanaryScanner(secrets.map((text, index) => ({ name: `secret ${index}`, text })));
    const members = [...this.storages, ...this.callers.map(({ member }) => member)];
    return [
      ...members.flatMap(({ name, output }) => scanner.scan(name, output)),
      ...scanner.scanDirectory(this.directory),
    ];
  }

  async close(): Promise<void> {
    const members = [...this.callers.map(({ member }) => member), ...this.storages];
    await Promise.all(members.map((member) => member.stop()));
    await Promise.all(this.callers.flatMap(({ wire, gate }) => [wire.close(), gate.close()]));
    await this.provider.close();
    await this.database.drop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
