import type { Language } from '../../platform/http/accept-language.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { PROVIDER_REGISTRY } from '../providers/registry.js';
import type { ConnectionTestResult } from './connection-test.views.js';
import type { Finding, TestSubject } from './connection-tester.js';
import { FAILURE_TEXTS } from './failures.js';

/** Where a model's provider is; null: nobody said. */
export const endpointOf = ({ api_base: apiBase, provider }: SnapshotModel): string | null =>
  apiBase ?? PROVIDER_REGISTRY[provider].defaultApiBase;

const ANSWERED = {
  'zh-CN': (milliseconds: number) => `模型在 ${milliseconds} 毫秒内应答。`,
  en: (milliseconds: number) => `The model answered in ${milliseconds} ms.`,
} satisfies Record<Language, unknown>;

const NOT_SHOWN = {
  'zh-CN': '输入已被接受，但应答没有表明模型看到或听到了它。',
  en: 'The input was accepted, but the answer does not show that the model took it in.',
} satisfies Record<Language, unknown>;

const messageOf = ({ modality }: TestSubject, finding: Finding, language: Language): string => {
  const { failure, proven, milliseconds } = finding;
  if (failure) return FAILURE_TEXTS[failure.errorClass].what[language];
  const answered = ANSWERED[language](Math.round(milliseconds));
  const isShown = modality === 'text' || proven.includes(modality);
  return isShown ? answered : `${answered} ${NOT_SHOWN[language]}`;
};

/** What came out, for the one who asked. */
export const toResult = (subject: TestSubject, finding: Finding, language: Language): ConnectionTestResult => {
  const { model, modality, isSaved } = subject;
  const { failure, proven, milliseconds } = finding;
  return {
    config_id: isSaved ? model.id : null,
    alias: model.alias,
    provider: model.provider,
    model_name: model.model_name,
    endpoint: endpointOf(model),
    modality,
    status: failure ? 'error' : 'success',
    message: messageOf(subject, finding, language),
    proven,
    response_time_ms: Math.round(milliseconds * 10) / 10,
    tested_at: new Date().toISOString(),
    error_class: failure?.errorClass ?? null,
    error_code: failure?.code ?? null,
    provider_status: failure?.providerStatus ?? null,
    provider_message: failure?.words ?? null,
    hint: failure ? FAILURE_TEXTS[failure.errorClass].hint[language] : null,
  };
};
