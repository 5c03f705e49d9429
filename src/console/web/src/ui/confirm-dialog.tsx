import { Button, Group, Modal, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSpoken } from '../language/language';

interface ConfirmProps {
  title: string;
  text?: string;
  /** What the button that does it says. */
  action: string;
  isDangerous?: boolean;
  isBusy?: boolean;
  onConfirm: () => void;
  onClose: () => void;
  children?: ReactNode;
}

/** Asks before something is done. */
export function ConfirmDialog({ title, text, action, onConfirm, onClose, children, ...how }: ConfirmProps): ReactNode {
  const { t } = useSpoken();
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ 'aria-label': t.common.close }}>
      {text && <Text mb="md">{text}</Text>}
      {children}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose}>
          {t.common.cancel}
        </Button>
        <Button {...(how.isDangerous && { color: 'red' })} onClick={onConfirm} loading={how.isBusy ?? false}>
          {action}
        </Button>
      </Group>
    </Modal>
  );
}
