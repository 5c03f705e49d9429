import { Button, Group, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useSpoken } from '../../language/language';
import { LabelFailure } from './label-dialog';
import { type LabelMove, useMoveLabel } from './change-prompts';

/** Long enough to see that it was the wrong one. */
const UNDO_MILLISECONDS = 20_000;

/** Says that a label was moved, and lets it be moved back. */
export const useMovedNotice = (id: string): ((move: LabelMove) => void) => {
  const { t } = useSpoken();
  const { mutateAsync } = useMoveLabel(id);
  const undo = async ({ label, from, to }: LabelMove): Promise<void> => {
    try {
      await mutateAsync({ label, from: to, to: from, reason: t.prompts.undo });
      notifications.show({ message: t.prompts.undone(label) });
    } catch (error) {
      notifications.show({ message: <LabelFailure error={error as Error} label={label} />, color: 'red' });
    }
  };
  return (move) => {
    const notice = notifications.show({
      color: 'green',
      // It stays for a while, and must not lie over the buttons of a dialog.
      position: 'bottom-left',
      autoClose: UNDO_MILLISECONDS,
      closeButtonProps: { 'aria-label': t.common.close },
      message: (
        <Group justify="space-between">
          <Text size="sm">
            {move.to === null ? t.prompts.removed(move.label) : t.prompts.moved(move.label, move.to)}
          </Text>
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => {
              notifications.hide(notice);
              void undo(move);
            }}
          >
            {t.prompts.undo}
          </Button>
        </Group>
      ),
    });
  };
};
