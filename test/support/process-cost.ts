import { readFileSync } from 'node:fs';

const TICK_MILLISECONDS = 10;
/** User and system time, in the fields behind the name of the program, which may have blanks. */
const CPU_FIELDS = [11, 12];

export interface ProcessCost {
  cpuMilliseconds: number;
  residentMegabytes: number;
}

/** What the kernel counted for a process so far; null where there is no /proc. */
export const costOf = (pid: number | undefined): ProcessCost | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    const ticks = CPU_FIELDS.reduce((sum, field) => sum + Number(fields[field]), 0);
    return { cpuMilliseconds: ticks * TICK_MILLISECONDS, residentMegabytes: Number(resident) / 1024 };
  } catch {
    return null;
  }
};
