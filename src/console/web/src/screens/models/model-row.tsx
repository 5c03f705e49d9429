import { ActionIcon, Anchor, Badge, Checkbox, Group, Menu, Switch, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { useSpoken } from '../../language/language';
import { copyText } from '../../ui/copy-text';
import type { Model } from './use-models';

const COLORS: Record<Model['status'], string> = {
  configured: 'green',
  needs_api_key: 'orange',
  disabled: 'gray',
  error: 'red',
};

const MEDIA = [
  ['supports_files', 'files'],
  ['supports_images', 'images'],
  ['supports_videos', 'videos'],
  ['supports_audio', 'audio'],
] as const;

const curlOf = (alias: string): string => {
  const body = JSON.stringify({ model: alias, messages: [{ role: 'user', content: 'Hello' }] });
  return `curl ${location.origin}/v1/chat/completions -H "authorization: Bearer $HUB_TOKEN" -H 'content-type: application/json' -d '${body.replaceAll("'", String.raw`'\''`)}'`;
};

export interface RowActions {
  onEnable: (model: Model, isEnabled: boolean) => void;
  onDelete: (model: Model) => void;
  onTest: (model: Model) => void;
}

function RowMenu({ model, actions }: { model: Model; actions: RowActions }): ReactNode {
  const { t } = useSpoken();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" aria-label={t.models.actions(model.alias)}>
          ⋯
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => actions.onTest(model)}>{t.models.test}</Menu.Item>
        <Menu.Item component={Link} href={`/models/${model.id}`}>
          {t.common.edit}
        </Menu.Item>
        <Menu.Item onClick={() => copyText(curlOf(model.alias), t.common.copied)}>{t.models.copyCurl}</Menu.Item>
        <Menu.Divider />
        <Menu.Item color="red" onClick={() => actions.onDelete(model)}>
          {t.common.delete}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

interface RowProps {
  model: Model;
  isSelected: boolean;
  onSelect: (isSelected: boolean) => void;
  actions: RowActions;
}

export function ModelRow({ model, isSelected, onSelect, actions }: RowProps): ReactNode {
  const { t, number, ago } = useSpoken();
  return (
    <Table.Tr>
      <Table.Td>
        <Checkbox
          checked={isSelected}
          onChange={(event) => onSelect(event.currentTarget.checked)}
          aria-label={t.models.select(model.alias)}
        />
      </Table.Td>
      <Table.Th scope="row">
        <Anchor component={Link} href={`/models/${model.id}`}>
          {model.alias}
        </Anchor>
        <Text size="xs" c="dimmed" fw={400}>
          {model.display_name}
        </Text>
      </Table.Th>
      <Table.Td>
        <Text size="sm">{model.provider}</Text>
        <Text size="xs">{model.model_name}</Text>
      </Table.Td>
      <Table.Td>
        <Group gap={4}>
          {MEDIA.filter(([field]) => model[field]).map(([field, text]) => (
            <Badge key={field} variant="default" size="sm">
              {t.models.media[text]}
            </Badge>
          ))}
        </Group>
      </Table.Td>
      <Table.Td>
        <span className={`status-${COLORS[model.status]}`}>
          <span className="status-dot" aria-hidden /> {t.models.statuses[model.status]}
        </span>
      </Table.Td>
      <Table.Td className="numbers">
        {number(model.usage_count)}
        {model.error_count > 0 && (
          <Text size="xs" className="status-red">
            {t.models.errors} {number(model.error_count)}
          </Text>
        )}
      </Table.Td>
      <Table.Td>{ago(model.last_used_at)}</Table.Td>
      <Table.Td>
        <Switch
          checked={model.is_enabled}
          onChange={(event) => actions.onEnable(model, event.currentTarget.checked)}
          aria-label={t.models.enable(model.alias)}
        />
      </Table.Td>
      <Table.Td>
        <RowMenu model={model} actions={actions} />
      </Table.Td>
    </Table.Tr>
  );
}
