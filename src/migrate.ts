import 'reflect-metadata';
import { runMigrations } from './app/run-migrations.js';

await runMigrations();
