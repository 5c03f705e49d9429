import type { Test } from 'supertest';
import type { ImportPlan } from '../../src/contract/declarative.contract.js';
import type { TestHub } from './hub.js';

export const EXPORT = '/api/v1/ai-models/export';
export const IMPORT = '/api/v1/ai-models/import';
export const PROMPTS = '/api/v1/ai-models/prompts';

type Hub = Pick<TestHub, 'request'>;
type Query = Record<string, string | boolean>;

/** The export as text. */
export const exportText = async (hub: Hub, format: 'yaml' | 'json' = 'yaml', query: Query = {}): Promise<string> => {
  const answer = await hub
    .request('get', EXPORT)
    .query({ format, ...query })
    .buffer(true)
    .parse((response, done) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => done(null, Buffer.concat(pieces).toString('utf8')));
    })
    .expect(200);
  return answer.body as string;
};

export interface HubDocument {
  version: number;
  kind: string;
  sealing?: Record<string, unknown>;
  models?: Record<string, unknown>[];
  prompts?: Record<string, unknown>[];
  alert_rules?: Record<string, unknown>[];
}

export const exportDocument = async (hub: Hub, query: Query = {}): Promise<HubDocument> =>
  JSON.parse(await exportText(hub, 'json', query)) as HubDocument;

/** A document of the hub. */
export const aDocument = (sections: Partial<HubDocument>): HubDocument => ({
  version: 1,
  kind: 'ai-model-hub',
  ...sections,
});

/** An import: text goes as YAML, anything else as JSON. */
export const sendImport = (hub: Hub, body: string | object, query: Query = {}, token?: string): Test => {
  const request = hub.request('post', IMPORT, token).query(query);
  return typeof body === 'string'
    ? request.set('content-type', 'application/yaml').send(body)
    : request.set('content-type', 'application/json').send(body);
};

export const planOf = async (hub: Hub, body: string | object, query: Query = {}): Promise<ImportPlan> =>
  (await sendImport(hub, body, { dry_run: true, ...query }).expect(200)).body as ImportPlan;

export const applied = async (hub: Hub, body: string | object, query: Query = {}): Promise<ImportPlan> =>
  (await sendImport(hub, body, query).expect(200)).body as ImportPlan;

/** Items as `action kind name`, for comparisons. */
export const actionsOf = (plan: ImportPlan): string[] =>
  plan.items.map(({ action, kind, name }) => `${action} ${kind} ${name}`);

export const revisionOf = async (hub: Pick<TestHub, 'database'>): Promise<string | undefined> =>
  (await hub.database.query<{ revision: string }>('SELECT revision FROM hub_revision'))[0]?.revision;
