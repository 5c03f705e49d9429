import type { Language } from '../../../contract/alert-kinds.js';
import type { Texts } from './texts.js';
import { ENGLISH } from './texts.en.js';
import { CHINESE } from './texts.zh-cn.js';

/** A language without its texts does not compile. */
export const TEXTS: Record<Language, Texts> = { 'zh-CN': CHINESE, en: ENGLISH };
