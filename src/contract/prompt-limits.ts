/** Caps of a prompt and its variables. Bytes are UTF-8. */
export const PROMPT_LIMITS = {
  textBytes: 256 * 1024,
  /** What a rendered text may come to. */
  outputBytes: 1024 * 1024,
  /** Pieces written while rendering, passes of repeated sections included: lists inside lists multiply even when empty. */
  outputPieces: 1_000_000,
  /** Sections inside each other. */
  sectionDepth: 5,
  variables: 64,
  /** One value; of a list, its entries together. */
  valueBytes: 64 * 1024,
  listEntries: 1000,
  options: 100,
  optionCharacters: 200,
  descriptionCharacters: 500,
} as const;
