import { Autocomplete, Checkbox, NumberInput, SimpleGrid, TagsInput, Textarea, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSpoken } from '../../language/language';
import type { PromptSummary } from './use-prompts';

/** What a prompt is beside its text, as the form holds it. */
export interface Metadata {
  display_name: string;
  description: string;
  language: string;
  category: string;
  tags: string[];
  is_public: boolean;
  priority: number | '';
}

export const LANGUAGES = ['zh-CN', 'en'];

export const NEW_METADATA: Metadata = {
  display_name: '',
  description: '',
  language: 'zh-CN',
  category: '',
  tags: [],
  is_public: false,
  priority: 0,
};

export const metadataOf = (prompt: PromptSummary): Metadata => ({
  display_name: prompt.display_name,
  description: prompt.description ?? '',
  language: prompt.language,
  category: prompt.category ?? '',
  tags: Object.entries(prompt.tags).map(([name, value]) => (value === '' ? name : `${name}:${value}`)),
  is_public: prompt.is_public,
  priority: prompt.priority,
});

const tagsOf = (tags: string[]): Record<string, string> =>
  Object.fromEntries(
    tags.map((tag) => {
      const [name = '', ...value] = tag.split(/[:：]/);
      return [name.trim(), value.join(':').trim()];
    }),
  );

/** As the API takes them: what is empty is not set, and a name that is left out is the prompt's own. */
export const toMetadata = ({ display_name, description, category, tags, priority, ...others }: Metadata) => ({
  ...others,
  ...(display_name !== '' && { display_name }),
  description: description || null,
  category: category || null,
  tags: tagsOf(tags),
  priority: priority === '' ? 0 : priority,
});

interface FieldsProps {
  metadata: Metadata;
  onChange: (changed: Partial<Metadata>) => void;
  problemOf: (field: string) => string | undefined;
}

/** Everything but the name, which is for good. */
export function MetadataFields({ metadata, onChange, problemOf }: FieldsProps): ReactNode {
  const { t } = useSpoken();
  return (
    <>
      <TextInput
        label={t.prompts.displayName}
        description={t.prompts.displayNameHint}
        value={metadata.display_name}
        onChange={(event) => onChange({ display_name: event.currentTarget.value })}
        error={problemOf('display_name')}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput
          label={t.prompts.category}
          value={metadata.category}
          onChange={(event) => onChange({ category: event.currentTarget.value })}
          error={problemOf('category')}
        />
        <Autocomplete
          label={t.prompts.language}
          data={LANGUAGES}
          value={metadata.language}
          onChange={(language) => onChange({ language })}
          error={problemOf('language')}
        />
      </SimpleGrid>
      <TagsInput
        label={t.prompts.tags}
        description={t.prompts.tagsHint}
        value={metadata.tags}
        onChange={(tags) => onChange({ tags })}
        error={problemOf('tags')}
      />
      <Textarea
        label={t.prompts.description}
        value={metadata.description}
        onChange={(event) => onChange({ description: event.currentTarget.value })}
        autosize
        minRows={2}
        error={problemOf('description')}
      />
      <NumberInput
        label={t.prompts.priority}
        value={metadata.priority}
        onChange={(priority) => onChange({ priority: typeof priority === 'number' ? priority : '' })}
        hideControls
        error={problemOf('priority')}
      />
      <Checkbox
        label={t.prompts.isPublic}
        checked={metadata.is_public}
        onChange={(event) => onChange({ is_public: event.currentTarget.checked })}
      />
    </>
  );
}
