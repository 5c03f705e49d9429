import { Autocomplete, Button, Group, Select, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { type ReactNode, useState } from 'react';
import { useSpoken } from '../../language/language';
import { useUrlParameters } from '../../ui/url-parameters';
import { LANGUAGES } from './metadata-fields';
import type { PromptQuery } from './use-prompts';

const SEARCH_MILLISECONDS = 200;
const FILTERS = ['q', 'category', 'language', 'tag', 'label', 'sort'] as const;
const STATES = ['active', 'archived', 'all'] as const;
export type PromptState = (typeof STATES)[number];

interface Filters {
  /** As the API takes them. */
  query: PromptQuery;
  state: PromptState;
  isFiltered: boolean;
  change: (name: string, value: string | null) => void;
  clear: () => void;
}

const stateOf = (given: string | null): PromptState => STATES.find((state) => state === given) ?? 'active';

/** Filters are in the address: it can be sent to a colleague. What is archived is shown to who asks for it. */
export const usePromptFilters = (): Filters => {
  const { params, change, clear } = useUrlParameters();
  const given = Object.fromEntries(
    FILTERS.flatMap((name) => {
      const value = params.get(name);
      return value ? [[name, value]] : [];
    }),
  ) as PromptQuery;
  const state = stateOf(params.get('state'));
  return {
    query: { ...given, ...(state !== 'all' && { is_active: state === 'active' }) },
    state,
    isFiltered: state !== 'active' || Object.keys(given).some((name) => name !== 'sort'),
    change,
    clear,
  };
};

interface FiltersProps {
  filters: Filters;
  /** Categories of the rows that are shown: the API has no list of all of them. */
  categories: string[];
}

export function PromptFilters({ filters, categories }: FiltersProps): ReactNode {
  const { t } = useSpoken();
  const { query, state, isFiltered, change, clear } = filters;
  const [text, setText] = useState({
    q: query.q ?? '',
    category: query.category ?? '',
    language: query.language ?? '',
  });
  const search = useDebouncedCallback(change, SEARCH_MILLISECONDS);
  const write = (name: keyof typeof text, value: string): void => {
    setText({ ...text, [name]: value });
    search(name, value.trim());
  };
  const states = { active: t.prompts.active, archived: t.prompts.archived, all: t.common.all };
  return (
    <Group align="flex-end" gap="sm">
      <TextInput
        type="search"
        label={t.common.search}
        placeholder={t.prompts.searchPlaceholder}
        value={text.q}
        onChange={(event) => write('q', event.currentTarget.value)}
        w={260}
      />
      <Autocomplete
        label={t.prompts.category}
        data={categories}
        value={text.category}
        onChange={(category) => write('category', category)}
        placeholder={t.common.all}
        w={150}
      />
      <Autocomplete
        label={t.prompts.language}
        data={LANGUAGES}
        value={text.language}
        onChange={(language) => write('language', language)}
        placeholder={t.common.all}
        w={120}
      />
      <Select
        label={t.prompts.state}
        data={STATES.map((value) => ({ value, label: states[value] }))}
        value={state}
        onChange={(value) => change('state', value === 'active' ? null : value)}
        allowDeselect={false}
        w={120}
      />
      {isFiltered && (
        <Button
          variant="subtle"
          onClick={() => {
            search.cancel();
            setText({ q: '', category: '', language: '' });
            clear();
          }}
        >
          {t.common.clearFilters}
        </Button>
      )}
    </Group>
  );
}
