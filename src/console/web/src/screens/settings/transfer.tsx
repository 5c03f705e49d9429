import { Alert, Badge, Button, Checkbox, FileButton, Group, Stack, Table, Text, Title } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useSpoken } from '../../language/language';
import { FailureNotice } from '../../ui/failure-notice';
import { type Plan, useExport, useImport } from './use-transfer';

const COLORS: Record<string, string> = { create: 'green', change: 'blue', delete: 'red', unchanged: 'gray' };

/** What happens, thing by thing; what stays as it is, is only counted. */
function PlanTable({ plan }: { plan: Plan }): ReactNode {
  const { t } = useSpoken();
  const items = plan.items.filter(({ action }) => action !== 'unchanged');
  const { create, change, delete: removed, unchanged } = plan.summary;
  return (
    <>
      <Text size="sm">{t.settings.planSummary(create, change, removed, unchanged)}</Text>
      <Table>
        <Table.Tbody>
          {items.map(({ kind, name, action, changes, notes }) => (
            <Table.Tr key={kind + name}>
              <Table.Td>
                <Badge color={COLORS[action] ?? 'gray'} variant="light" tt="none">
                  {t.settings.actions[action]}
                </Badge>
              </Table.Td>
              <Table.Td>{kind}</Table.Td>
              <Table.Th scope="row">{name}</Table.Th>
              <Table.Td>
                <Text size="xs">{changes.map(({ field }) => field).join(', ')}</Text>
                {notes.map((note) => (
                  <Text size="xs" key={note}>
                    {note}
                  </Text>
                ))}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {plan.report.map(({ path, message }) => (
        <Text size="xs" key={path + message}>
          {path}: {message}
        </Text>
      ))}
    </>
  );
}

function ImportFile(): ReactNode {
  const { t } = useSpoken();
  const planning = useImport();
  const applying = useImport();
  const [document, setDocument] = useState<{ name: string; text: string } | null>(null);
  const [prune, setPrune] = useState(false);
  const [skipSecrets, setSkipSecrets] = useState(false);
  const plan = (text: string, options: { prune: boolean; skipSecrets: boolean }): void => {
    applying.reset();
    planning.mutate({ document: text, ...options, plan: null });
  };
  const open = async (file: File | null): Promise<void> => {
    if (!file) return;
    const text = await file.text();
    setDocument({ name: file.name, text });
    plan(text, { prune, skipSecrets });
  };
  const choose = (options: { prune: boolean; skipSecrets: boolean }): void => {
    setPrune(options.prune);
    setSkipSecrets(options.skipSecrets);
    if (document) plan(document.text, options);
  };
  const apply = (): void => {
    if (!document || !planning.data) return;
    applying.mutate({ document: document.text, prune, skipSecrets, plan: planning.data.plan_digest });
  };
  return (
    <Stack>
      <Group>
        <FileButton accept=".yaml,.yml,.json" onChange={(file) => void open(file)}>
          {(props) => (
            <Button variant="default" {...props}>
              {t.settings.chooseFile}
            </Button>
          )}
        </FileButton>
        {document && <Text size="sm">{document.name}</Text>}
      </Group>
      <Checkbox
        label={t.settings.prune}
        checked={prune}
        onChange={(event) => choose({ prune: event.currentTarget.checked, skipSecrets })}
      />
      <Checkbox
        label={t.settings.skipSecrets}
        checked={skipSecrets}
        onChange={(event) => choose({ prune, skipSecrets: event.currentTarget.checked })}
      />
      {planning.error && <FailureNotice error={planning.error} />}
      {applying.error && <FailureNotice error={applying.error} />}
      {planning.data && !applying.data && (
        <>
          <PlanTable plan={planning.data} />
          <Group>
            <Button onClick={apply} loading={applying.isPending}>
              {t.settings.apply}
            </Button>
          </Group>
        </>
      )}
      {applying.data && (
        <Alert color="green" role="status" title={t.settings.applied}>
          <PlanTable plan={applying.data} />
        </Alert>
      )}
    </Stack>
  );
}

/** The configuration as a file, and a file as the configuration: first the plan, then that very plan. */
export function Transfer(): ReactNode {
  const { t } = useSpoken();
  const exporting = useExport();
  return (
    <Stack component="section">
      <Title order={2} size="h4">
        {t.settings.export}
      </Title>
      <Text size="sm">{t.settings.exportText}</Text>
      <Group>
        <Button variant="default" onClick={() => exporting.mutate()} loading={exporting.isPending}>
          {t.settings.download}
        </Button>
      </Group>
      {exporting.error && <FailureNotice error={exporting.error} />}
      <Title order={2} size="h4" mt="lg">
        {t.settings.import}
      </Title>
      <Text size="sm">{t.settings.importText}</Text>
      <ImportFile />
    </Stack>
  );
}
