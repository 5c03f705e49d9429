import { Button, Group, Radio, Stack, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useSpoken } from '../../language/language';
import type { Metadata } from './metadata-fields';
import { isSame } from './prompt-draft';

type Field = keyof Metadata;
type Side = 'theirs' | 'mine';

const NAMES = {
  display_name: 'displayName',
  description: 'description',
  language: 'language',
  category: 'category',
  tags: 'tags',
  is_public: 'isPublic',
  priority: 'priority',
} as const satisfies Record<Field, string>;

interface ConflictProps {
  base: Metadata;
  theirs: Metadata;
  mine: Metadata;
  onMerged: (merged: Metadata) => void;
}

/** Somebody saved first: field by field, so that nothing of either is lost. */
export function MetadataConflict({ base, theirs, mine, onMerged }: ConflictProps): ReactNode {
  const { t } = useSpoken();
  const fields = (Object.keys(NAMES) as Field[]).filter((field) => !isSame(theirs[field], mine[field]));
  const [sides, setSides] = useState<Partial<Record<Field, Side>>>({});
  // What only they changed is theirs.
  const sideOf = (field: Field): Side => sides[field] ?? (isSame(base[field], mine[field]) ? 'theirs' : 'mine');
  const shown = (value: Metadata[Field]): string => {
    if (typeof value === 'boolean') return value ? t.common.yes : t.common.no;
    return (Array.isArray(value) ? value.join(', ') : String(value)) || t.common.none;
  };
  const merge = (): void => {
    const sidesOfMine = fields.filter((field) => sideOf(field) === 'mine').map((field) => [field, mine[field]]);
    onMerged({ ...theirs, ...Object.fromEntries(sidesOfMine) });
  };
  return (
    <Stack gap="sm">
      <Text size="sm">{t.prompts.conflictText}</Text>
      {fields.map((field) => (
        <Radio.Group
          key={field}
          label={t.prompts[NAMES[field]]}
          value={sideOf(field)}
          onChange={(side) => setSides({ ...sides, [field]: side })}
        >
          <Stack gap={4} mt={4}>
            <Radio value="theirs" label={`${t.form.theirs}: ${shown(theirs[field])}`} />
            <Radio value="mine" label={`${t.form.mine}: ${shown(mine[field])}`} />
          </Stack>
        </Radio.Group>
      ))}
      <Group justify="flex-end">
        <Button onClick={merge}>{t.form.saveMerged}</Button>
      </Group>
    </Stack>
  );
}
