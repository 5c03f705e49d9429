import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const DEPCRUISE = join(process.cwd(), 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const COPIED = ['src', 'typeorm-migrations', '.dependency-cruiser.cjs', 'tsconfig.json', 'package.json'];

interface Violation {
  rule: string;
  from: string;
}

interface Verdict {
  exitCode: number | null;
  violations: Violation[];
  totalCruised: number;
}

interface Planted {
  name: string;
  rule: string;
  file: string;
  text: string;
}

const only = (room: string, allowed: string): string => `${room} sees only ${allowed}`;
const STORAGE_ENTITY = '../storage/model-config/model-config.entity.js';
const AI_MODEL = only('src/ai-model', 'src/contract, src/platform');

const PLANTED: Planted[] = [
  {
    name: 'an entity in ai-model',
    rule: AI_MODEL,
    file: 'src/ai-model/planted-entity.ts',
    text: `import { ModelConfigEntity } from '${STORAGE_ENTITY}';\nexport const planted = ModelConfigEntity;`,
  },
  {
    name: 'the type of an entity in ai-model',
    rule: AI_MODEL,
    file: 'src/ai-model/planted-type.ts',
    text: `import type { ModelConfigEntity } from '${STORAGE_ENTITY}';\nexport type Planted = ModelConfigEntity;`,
  },
  {
    name: 'a dynamic import of storage in ai-model',
    rule: AI_MODEL,
    file: 'src/ai-model/planted-dynamic.ts',
    text: `export const planted = (): Promise<unknown> => import('../storage/index.js');`,
  },
  {
    name: 'a re-export of storage in ai-model',
    rule: AI_MODEL,
    file: 'src/ai-model/planted-export.ts',
    text: `export { StorageModule } from '../storage/index.js';`,
  },
  {
    name: 'typeorm in ai-model',
    rule: 'the database belongs to storage',
    file: 'src/ai-model/planted-typeorm.ts',
    text: `import { DataSource } from 'typeorm';\nexport const planted = DataSource;`,
  },
  {
    name: '@nestjs/typeorm in ai-model',
    rule: 'the database belongs to storage',
    file: 'src/ai-model/planted-nest-typeorm.ts',
    text: `import { TypeOrmModule } from '@nestjs/typeorm';\nexport const planted = TypeOrmModule;`,
  },
  {
    name: 'pg in platform, by type alone',
    rule: 'the database belongs to storage',
    file: 'src/platform/planted-pg.ts',
    text: `import type { Client } from 'pg';\nexport type Planted = Client;`,
  },
  {
    name: 'platform in contract',
    rule: only('src/contract', 'itself'),
    file: 'src/contract/planted-platform.ts',
    text: `import { AppError } from '../platform/errors/app-error.js';\nexport const planted = AppError;`,
  },
  {
    name: 'storage in platform',
    rule: only('src/platform', 'src/contract'),
    file: 'src/platform/planted-storage.ts',
    text: `import { StorageModule } from '../storage/index.js';\nexport const planted = StorageModule;`,
  },
  {
    name: 'ai-model in storage',
    rule: only('src/storage', 'src/contract, src/platform, typeorm-migrations'),
    file: 'src/storage/planted-ai-model.ts',
    text: `import { AiModelModule } from '../ai-model/index.js';\nexport const planted = AiModelModule;`,
  },
  {
    name: 'an entity in a migration',
    rule: only('typeorm-migrations', 'itself'),
    file: 'typeorm-migrations/planted-entity.ts',
    text: `import { ModelConfigEntity } from '../src/storage/model-config/model-config.entity.js';\nexport const planted = ModelConfigEntity;`,
  },
  {
    name: 'storage in console',
    rule: only('src/console', 'src/contract, src/platform'),
    file: 'src/console/planted-storage.ts',
    text: `import { StorageModule } from '../storage/index.js';\nexport const planted = StorageModule;`,
  },
  {
    name: 'storage in the command line',
    rule: only('src/cli', 'src/contract, src/platform'),
    file: 'src/cli/planted-storage.ts',
    text: `export const planted = (): Promise<unknown> => import('../storage/index.js');`,
  },
  {
    name: 'the application in the command line',
    rule: only('src/cli', 'src/contract, src/platform'),
    file: 'src/cli/planted-app.ts',
    text: `export const planted = (): Promise<unknown> => import('../app/run-migrations.js');`,
  },
  {
    name: 'a static import of a service in app',
    rule: 'a service is reached by dynamic import from src/app alone',
    file: 'src/app/planted-static.ts',
    text: `import { StorageModule } from '../storage/index.js';\nexport const planted = StorageModule;`,
  },
  {
    name: 'a cycle',
    rule: 'no cycles',
    file: 'src/contract/planted-cycle.ts',
    text: `import { other } from './planted-cycle-other.js';\nexport const planted = (): unknown => other;`,
  },
];
const OTHER_HALF = {
  file: 'src/contract/planted-cycle-other.ts',
  text: `import { planted } from './planted-cycle.js';\nexport const other = (): unknown => planted;`,
};

const VIOLATION = /^ *error (.+?): (\S+) → /gm;
const CRUISED = /(\d+) modules, \d+ dependencies cruised/;

/** The gate as `npm run check:boundaries` runs it, on the tree in `directory`. */
const runGate = (directory: string): Verdict => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [DEPCRUISE, 'src', 'typeorm-migrations'], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  const totalCruised = Number(CRUISED.exec(stdout)?.[1]);
  if (!(totalCruised > 0)) throw new Error(`dependency-cruiser did not run: ${stdout}${stderr}`);
  const violations = [...stdout.matchAll(VIOLATION)].map(([, rule = '', from = '']) => ({ rule, from }));
  return { exitCode: status, violations, totalCruised };
};

describe('the gate of the rooms', () => {
  let copy: string;
  let clean: Verdict;
  let planted: Verdict;

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'hub-test-boundaries-'));
    for (const name of COPIED) cpSync(name, join(copy, name), { recursive: true });
    symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'));
    clean = runGate(copy);
    for (const { file, text } of [...PLANTED, OTHER_HALF]) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      writeFileSync(join(copy, file), `${text}\n`);
    }
    planted = runGate(copy);
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it('is green on the code, and has looked at all of it', () => {
    expect(clean).toMatchObject({ exitCode: 0, violations: [] });
    expect(clean.totalCruised).toBeGreaterThan(100);
  });

  it('is red on the tree with everything planted, and on what is planted alone', () => {
    expect(planted.exitCode).toBeGreaterThanOrEqual(PLANTED.length);
    const files = new Set([...PLANTED, OTHER_HALF].map(({ file }) => file));
    expect(planted.violations.filter(({ from }) => !files.has(from))).toEqual([]);
  });

  it.each(PLANTED)('is red on $name', ({ rule, file }) => {
    // A cycle is told once, from whichever file of it is seen first.
    const files = rule === 'no cycles' ? [file, OTHER_HALF.file] : [file];
    const rules = planted.violations.filter(({ from }) => files.includes(from)).map((violation) => violation.rule);
    expect(rules).toContain(rule);
  });
});
