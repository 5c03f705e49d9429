// A storage process as far as it evaluates alerts, by the clock it is told: every message is a time as of which it evaluates what it
// finds, and it answers with the end of the last minute that was evaluated, by whomever.
import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ListenAddress } from '../../dist/src/platform/http/listen-address.js';
import { AlertEvaluator } from '../../dist/src/storage/alert/evaluation/alert-evaluator.js';
import { connectionFromUrl } from '../../dist/src/storage/database/connection.js';
import { dataSourceOptions } from '../../dist/src/storage/database/data-source-options.js';
import { Secret } from '../../dist/src/platform/secrets/secret.js';

// What is wrong is said by the answers that are missing.
Logger.overrideLogger(false);
const options = dataSourceOptions(connectionFromUrl(new Secret(process.env.DATABASE_URL)));
const dataSource = await new DataSource({ ...options, applicationName: process.env.NAME }).initialize();
const evaluator = new AlertEvaluator(dataSource, new ListenAddress());

const evaluate = async (now) => {
  await evaluator.evaluateUpTo(new Date(now));
  const [row] = await dataSource.query('SELECT evaluated_to FROM alert_evaluation');
  process.send({ evaluatedTo: row.evaluated_to?.getTime() ?? 0 });
};

// One after the other, and the newest time only: a storage process has one timer, too, and asks its clock each time.
let newest = 0;
let last = Promise.resolve();
process.on('message', (now) => {
  newest = now;
  last = last.then(() => evaluate(newest)).catch((error) => console.error(error));
});
// Not left behind when the test is gone.
process.on('disconnect', () => process.exit());
process.send({ evaluatedTo: 0 });
