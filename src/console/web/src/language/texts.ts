import type { zhCN } from './zh-CN';

type Widened<Value> = Value extends string
  ? string
  : Value extends (...given: infer Given) => string
    ? (...given: Given) => string
    : { [Key in keyof Value]: Widened<Value[Key]> };

/** What every language has to say. */
export type Texts = Widened<typeof zhCN>;
