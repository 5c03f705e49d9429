import { GEMINI } from './gemini.js';
import type { SdkWire } from './sdk-wire.js';

const OWN_URLS = /^https:\/\/(?:(?:www\.)?youtube\.com\/watch\?|youtu\.be\/)/;

/**
 * Google Vertex AI speaks Gemini's generateContent at another address: with an API key (express mode), or with an access
 * token in the config's `auth_headers`. Its embeddings are another API.
 */
export const VERTEX: SdkWire = {
  ...GEMINI,
  name: 'Vertex AI',
  embeddings: undefined,
  models: undefined,
  takesUrl: (_mediaType, url) => OWN_URLS.test(url.href),
};
