import type { Draft } from './use-draft';
import type { Prompt } from './use-prompts';
import type { DialogName } from './workplace-header';

/** What every dialog of a prompt may need. */
export interface DialogProps {
  open: DialogName | null;
  prompt: Prompt;
  draft: Draft;
  /** What is wrong with the draft's text. */
  errorCount: number;
  /** The version that is read; null: the draft. */
  shown: number | null;
  onOpen: (dialog: DialogName | null) => void;
  onShow: (version: number | null) => void;
  /** Looks at the hub again before the comparison. */
  onStale: () => void;
}
