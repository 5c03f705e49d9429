const origins = new WeakMap<object, string>();

/** Remembers where in the caller's own request a part stands that an entrance translated. */
export const noteOrigin = <Part extends object>(part: Part, path: string): Part => {
  origins.set(part, path);
  return part;
};

/** The caller's name of a part; undefined where he wrote it himself, in OpenAI's chat format. */
export const originOf = (part: object): string | undefined => origins.get(part);
