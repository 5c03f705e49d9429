import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { bodyOf, type IncomingCall } from '../calls/incoming-call.js';
import { CODE_WORD, makePdf, makeWav, RED_MP4, RED_PNG, TEXT_FILE } from './samples.js';
import type { TestModality } from './test-modality.js';

/** A call that a test makes, and how its answer shows that the model took in what it was given. */
export interface TestQuestion {
  incoming: IncomingCall;
  /** In the text of the answer; null: any answer will do. */
  expected: RegExp | null;
}

/** How the most tokens of the answer are asked for. */
export interface TokenLimit {
  parameter: 'max_tokens' | 'max_completion_tokens';
  tokens: number;
}

/** With fewer some servers refuse, and others answer nothing. */
export const FEWEST_TOKENS = 16;
const FEW_TOKENS = 64;
/** Thoughts count, and come before the answer. The limit costs nothing by itself. */
const TOKENS_TO_THINK = 2048;
const REASONING_NAME = /(?:^|[^a-z])(?:o[1-9]|gpt-?5|r1|reason(?:er|ing)?|think(?:ing)?|qwq|magistral)(?:[^a-z]|$)/i;

/** The config's own limit is not passed, but what is too little for any answer is not asked for either. */
const within = ({ max_tokens: most }: SnapshotModel, tokens: number): number =>
  Math.max(FEWEST_TOKENS, Math.min(tokens, most));

/** What every server knows; where it does not, see {@link otherLimitOf}. */
export const firstLimitOf = (model: SnapshotModel): TokenLimit => {
  const isSet = Object.hasOwn(model.custom_parameters ?? {}, 'max_completion_tokens');
  const tokens = within(model, REASONING_NAME.test(model.model_name) ? TOKENS_TO_THINK : FEW_TOKENS);
  return { parameter: isSet ? 'max_completion_tokens' : 'max_tokens', tokens };
};

/** For a model that refused the first one: reasoning models know another parameter, or need more. */
export const otherLimitOf = (model: SnapshotModel): TokenLimit => ({
  parameter: 'max_completion_tokens',
  tokens: within(model, TOKENS_TO_THINK),
});

/** Whether a refusal, by its `param` and words, is about the limit. */
export const isAboutLimit = (words: string): boolean =>
  /max_(?:completion_|output_|new_)?tokens|output (?:token )?limit|too few tokens|token limit/i.test(words);

const COLOUR = /\bred\b|红/i;
const dataUrl = (type: string, base64: string): string => `data:${type};base64,${base64}`;

const takes = ({ supported_file_types: types }: SnapshotModel, type: string): boolean =>
  types === null || types.includes(type) || types.includes(type.replace(/\/.*/, '/*'));

/** Local servers know no PDF, and some configs take none. */
const wantsText = (model: SnapshotModel): boolean =>
  (model.provider === 'local' || !takes(model, 'application/pdf')) && takes(model, 'text/plain');

const fileOf = (model: SnapshotModel): object => {
  if (!wantsText(model)) {
    return { filename: 'test.pdf', file_data: dataUrl('application/pdf', makePdf().toString('base64')) };
  }
  return { filename: 'test.txt', file_data: dataUrl('text/plain', Buffer.from(TEXT_FILE).toString('base64')) };
};

interface Asked {
  text: string;
  part: object | null;
  expected: RegExp | null;
}

const ASKED: Record<Exclude<TestModality, 'embeddings'>, (model: SnapshotModel) => Asked> = {
  text: () => ({ text: 'Reply with the word OK.', part: null, expected: null }),
  image: () => ({
    text: 'Which colour is this picture? Answer with one word in English.',
    part: { type: 'image_url', image_url: { url: dataUrl('image/png', RED_PNG) } },
    expected: COLOUR,
  }),
  video: () => ({
    text: 'Which colour does this video show? Answer with one word in English.',
    part: { type: 'video_url', video_url: { url: dataUrl('video/mp4', RED_MP4) } },
    expected: COLOUR,
  }),
  file: (model) => ({
    text: 'Which code word does this file tell? Answer with that word alone.',
    part: { type: 'file', file: fileOf(model) },
    expected: new RegExp(CODE_WORD, 'i'),
  }),
  audio: () => ({
    text: 'What is to be heard: speech, music, a beep or silence? Answer with one word in English.',
    part: { type: 'input_audio', input_audio: { data: makeWav().toString('base64'), format: 'wav' } },
    expected: /\b(?:beep|tone)\b/i,
  }),
};

const chatOf = (alias: string, { text, part }: Asked, { parameter, tokens }: TokenLimit): object => ({
  model: alias,
  messages: [{ role: 'user', content: part === null ? text : [{ type: 'text', text }, part] }],
  [parameter]: tokens,
});

/** The cheapest call that shows what is asked for. */
export const questionFor = (model: SnapshotModel, modality: TestModality, limit: TokenLimit): TestQuestion => {
  const isEmbedding = modality === 'embeddings';
  const asked = isEmbedding ? null : ASKED[modality](model);
  const body = asked ? chatOf(model.alias, asked, limit) : { model: model.alias, input: 'test' };
  const parameters = body as Record<string, unknown>;
  const incoming: IncomingCall = {
    operation: isEmbedding ? 'embeddings' : 'chat',
    alias: model.alias,
    ...bodyOf(parameters),
    parameters,
    stream: false,
    isTranslated: false,
    wantsUsage: false,
    prompt: null,
    ignored: [],
  };
  return { incoming, expected: asked?.expected ?? null };
};
