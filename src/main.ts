import 'reflect-metadata';
import { runHub } from './app/run-hub.js';

await runHub();
