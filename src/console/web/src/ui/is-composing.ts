import type { KeyboardEvent } from 'react';

/** Somebody is still choosing characters: an Enter is not meant for the page. Some input methods say so by the code alone. */
export const isComposing = ({ nativeEvent }: KeyboardEvent): boolean =>
  nativeEvent.isComposing || nativeEvent.keyCode === 229;
