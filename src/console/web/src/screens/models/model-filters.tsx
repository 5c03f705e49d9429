import { Button, Group, Select, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { type ReactNode, useState } from 'react';
import { useSpoken } from '../../language/language';
import { useUrlParameters } from '../../ui/url-parameters';
import type { ModelQuery } from './use-models';

const STATUSES = ['configured', 'needs_api_key', 'disabled', 'error'] as const;
const SEARCH_MILLISECONDS = 200;

/** Filters are in the address: it can be sent to a colleague, and back goes back. */
export const useModelFilters = (): {
  filters: ModelQuery;
  change: (name: string, value: string | null) => void;
  clear: () => void;
} => {
  const { params, change, clear } = useUrlParameters();
  const filters: Record<string, string> = {};
  for (const name of ['q', 'status', 'provider', 'sort']) {
    const value = params.get(name);
    if (value) filters[name] = value;
  }
  return { filters, change, clear };
};

interface FiltersProps {
  filters: ModelQuery;
  change: (name: string, value: string | null) => void;
  clear: () => void;
}

export function ModelFilters({ filters, change, clear }: FiltersProps): ReactNode {
  const { t } = useSpoken();
  const [text, setText] = useState(filters.q ?? '');
  const search = useDebouncedCallback((value: string) => change('q', value), SEARCH_MILLISECONDS);
  const isFiltered = Object.keys(filters).some((name) => name !== 'sort');
  return (
    <Group align="flex-end" gap="sm">
      <TextInput
        type="search"
        label={t.common.search}
        placeholder={t.models.searchPlaceholder}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          search(event.currentTarget.value);
        }}
        w={260}
      />
      <Select
        label={t.models.status}
        data={STATUSES.map((status) => ({ value: status, label: t.models.statuses[status] }))}
        value={filters.status ?? null}
        onChange={(status) => change('status', status)}
        placeholder={t.common.all}
        clearable
        w={160}
      />
      {isFiltered && (
        <Button
          variant="subtle"
          onClick={() => {
            setText('');
            clear();
          }}
        >
          {t.common.clearFilters}
        </Button>
      )}
    </Group>
  );
}
