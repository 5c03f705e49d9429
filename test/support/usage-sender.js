// A sender of usage as a process of its own, to be killed at any moment: sends its batches one after the other, remembers
// in a file which were acknowledged, and goes on there when it is started again. What was not acknowledged is sent again
// under the same id. Started by usage-senders.e2e-spec.ts.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

const { url, token, batchesFile, progressFile } = JSON.parse(process.argv[2]);

const { batches } = JSON.parse(readFileSync(batchesFile, 'utf8'));
let next = existsSync(progressFile) ? Number(readFileSync(progressFile, 'utf8')) : 0;

const send = async (batch) => {
  const answer = await fetch(`${url}/internal/v1/usage`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(batch),
  });
  await answer.text();
  return answer.status;
};

while (next < batches.length) {
  const status = await send(batches[next]).catch(() => 0);
  // Not reached, or the database was busy for too long: again, as the buffer of the AI model service does.
  if (status === 0 || status >= 500) continue;
  if (status !== 200) process.exit(status);
  next += 1;
  writeFileSync(`${progressFile}.new`, String(next));
  renameSync(`${progressFile}.new`, progressFile);
}
