import {
  Checkbox,
  Fieldset,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  TagsInput,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api, bodyOf } from '../../api/client';
import { useSpoken } from '../../language/language';
import type { ModelDraft } from './model-draft';

interface FieldsProps {
  draft: ModelDraft;
  onChange: (changed: Partial<ModelDraft>) => void;
  problemOf: (field: string) => string | undefined;
}

const useProviders = (language: string): { value: string; label: string }[] => {
  const found = useQuery({
    queryKey: ['providers', language],
    queryFn: ({ signal }) =>
      bodyOf(api.GET('/api/v1/models/providers', { params: { header: { 'accept-language': language } }, signal })),
    staleTime: Infinity,
  });
  return (found.data?.providers ?? []).map(({ name }) => ({ value: name, label: name }));
};

/** Where the model is and what it is called. */
export function ConnectionFields({ draft, onChange, problemOf }: FieldsProps): ReactNode {
  const { t, language } = useSpoken();
  const providers = useProviders(language);
  return (
    <Stack>
      <Select
        label={t.form.provider}
        data={providers.length > 0 ? providers : [draft.provider]}
        value={draft.provider}
        onChange={(provider) => provider && onChange({ provider: provider as ModelDraft['provider'] })}
        searchable
        allowDeselect={false}
        error={problemOf('provider')}
      />
      <TextInput
        label={t.form.alias}
        description={t.form.aliasHint}
        value={draft.alias}
        onChange={(event) => onChange({ alias: event.currentTarget.value })}
        required
        error={problemOf('alias')}
      />
      <TextInput
        label={t.form.modelName}
        description={t.form.modelNameHint}
        value={draft.model_name}
        onChange={(event) => onChange({ model_name: event.currentTarget.value })}
        required
        error={problemOf('model_name')}
      />
      <TextInput
        label={t.form.apiBase}
        description={t.form.apiBaseHint}
        value={draft.api_base}
        onChange={(event) => onChange({ api_base: event.currentTarget.value })}
        error={problemOf('api_base')}
      />
    </Stack>
  );
}

const SWITCHES = [
  ['is_enabled', 'enabled'],
  ['is_streaming_supported', 'streaming'],
  ['supports_images', 'images'],
  ['supports_files', 'files'],
  ['supports_audio', 'audio'],
  ['supports_videos', 'videos'],
] as const;

/** What it can take, and how people call it. */
export function AbilityFields({ draft, onChange, problemOf }: FieldsProps): ReactNode {
  const { t } = useSpoken();
  return (
    <Fieldset legend={t.form.abilities}>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs">
        {SWITCHES.map(([field, text]) => (
          <Checkbox
            key={field}
            label={t.form[text]}
            checked={draft[field]}
            onChange={(event) => onChange({ [field]: event.currentTarget.checked })}
          />
        ))}
      </SimpleGrid>
      <TextInput
        mt="sm"
        label={t.form.displayName}
        value={draft.display_name}
        onChange={(event) => onChange({ display_name: event.currentTarget.value })}
        error={problemOf('display_name')}
      />
      <Textarea
        mt="sm"
        label={t.form.description}
        value={draft.description}
        onChange={(event) => onChange({ description: event.currentTarget.value })}
        autosize
        error={problemOf('description')}
      />
    </Fieldset>
  );
}

const NUMBERS = [
  ['max_tokens', 'maxTokens'],
  ['context_window', 'contextWindow'],
  ['request_timeout', 'timeout'],
  ['max_retries', 'retries'],
  ['rate_limit_per_minute', 'rateLimit'],
  ['priority', 'priority'],
  ['input_price_per_million', 'inputPrice'],
  ['output_price_per_million', 'outputPrice'],
] as const;

/** How much, how long, how often, and what it costs. */
export function LimitFields({ draft, onChange, problemOf }: FieldsProps): ReactNode {
  const { t } = useSpoken();
  return (
    <Fieldset legend={t.form.limits}>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        {NUMBERS.map(([field, text]) => (
          <NumberInput
            key={field}
            label={t.form[text]}
            value={draft[field]}
            onChange={(value) => onChange({ [field]: typeof value === 'number' ? value : '' })}
            hideControls
            error={problemOf(field)}
          />
        ))}
      </SimpleGrid>
      <TagsInput
        mt="sm"
        label={t.form.fallbacks}
        value={draft.fallback_aliases}
        onChange={(fallback_aliases) => onChange({ fallback_aliases })}
        error={problemOf('fallback_aliases')}
      />
    </Fieldset>
  );
}
