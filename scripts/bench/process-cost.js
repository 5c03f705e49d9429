// What a process has cost so far, from /proc; null where there is none.
import { readFileSync } from 'node:fs';

const read = (pid, file) => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return null;
  }
};

/** CPU time in milliseconds, all threads. */
export const cpuOf = ({ pid }) => {
  const fields = read(pid, 'stat')?.split(') ')[1].split(' ');
  return fields ? (Number(fields[11]) + Number(fields[12])) * 10 : null;
};

/** Memory in megabytes. */
export const memoryOf = ({ pid }) => {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(read(pid, 'status') ?? '')?.[1];
  return kilobytes ? Number(kilobytes) / 1024 : null;
};
