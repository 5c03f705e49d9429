import { readFileSync } from 'node:fs';

const findPackageFile = (): URL => {
  // From src/app under Jest, from dist/src/app when built.
  for (const candidate of ['../../package.json', '../../../package.json']) {
    const url = new URL(candidate, import.meta.url);
    try {
      readFileSync(url);
      return url;
    } catch {
      continue;
    }
  }
  throw new Error('package.json is missing');
};

const { name, version } = JSON.parse(readFileSync(findPackageFile(), 'utf8')) as { name: string; version: string };

export const PRODUCT: { name: string; version: string } = { name, version };
