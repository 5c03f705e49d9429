import { Button, Group, Modal, SegmentedControl, Table, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useSpoken } from '../../language/language';
import { changedFields, type ModelDraft } from './model-draft';

export interface Conflict {
  /** What the draft began with. */
  base: ModelDraft;
  theirs: ModelDraft;
  /** Of what they saved. */
  version: number;
  mine: ModelDraft;
}

type Field = keyof ModelDraft;
type Side = 'theirs' | 'mine';

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** What only one of the two changed is his; where both did, somebody has to choose. */
const firstChoice = ({ base, theirs, mine }: Conflict, field: Field): Side =>
  changedFields(base, theirs).includes(field) && !changedFields(base, mine).includes(field) ? 'theirs' : 'mine';

interface ConflictProps {
  conflict: Conflict;
  onMerged: (draft: ModelDraft) => void;
  onClose: () => void;
}

/** Somebody saved first: field by field, so that nothing of either is lost. */
export function ConflictView({ conflict, onMerged, onClose }: ConflictProps): ReactNode {
  const { t } = useSpoken();
  const fields = changedFields(conflict.theirs, conflict.mine);
  const [sides, setSides] = useState<Record<string, Side>>(() =>
    Object.fromEntries(fields.map((field) => [field, firstChoice(conflict, field)])),
  );
  const merge = (): void => {
    const chosen = fields.map((field) => [field, conflict[sides[field] ?? 'mine'][field]]);
    onMerged({ ...conflict.theirs, ...Object.fromEntries(chosen) });
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t.form.conflict}
      size="xl"
      closeButtonProps={{ 'aria-label': t.common.close }}
    >
      <Text size="sm" mb="sm">
        {t.form.conflictText}
      </Text>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t.form.field}</Table.Th>
            <Table.Th>{t.form.theirs}</Table.Th>
            <Table.Th>{t.form.mine}</Table.Th>
            <Table.Th />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {fields.map((field) => (
            <Table.Tr key={field}>
              <Table.Th scope="row">{field}</Table.Th>
              <Table.Td>{shown(conflict.theirs[field])}</Table.Td>
              <Table.Td>{shown(conflict.mine[field])}</Table.Td>
              <Table.Td>
                <SegmentedControl
                  aria-label={field}
                  data={[
                    { value: 'theirs', label: t.form.theirs },
                    { value: 'mine', label: t.form.mine },
                  ]}
                  value={sides[field] ?? 'mine'}
                  onChange={(side) => setSides({ ...sides, [field]: side })}
                />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose}>
          {t.common.cancel}
        </Button>
        <Button onClick={merge}>{t.form.saveMerged}</Button>
      </Group>
    </Modal>
  );
}
