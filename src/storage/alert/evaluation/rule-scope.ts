import type { WatchedModel } from './states.js';
import type { UsagePart } from './usage-parts.js';
import { scopeText, type WatchedRule } from './watched-rule.js';

/** A tag is given as its name, or as `name:value`. */
const hasTag = (tags: Record<string, string>, tag: string): boolean => {
  const colon = tag.indexOf(':');
  return colon < 0 ? Object.hasOwn(tags, tag) : tags[tag.slice(0, colon)] === tag.slice(colon + 1);
};

/** What a rule looks at. */
export class RuleScope {
  /** Ids of the models with the tag, for a scope of that kind. */
  private readonly tagged: ReadonlySet<string>;

  /** @param models by alias */
  constructor(
    private readonly rule: WatchedRule,
    private readonly models: ReadonlyMap<string, WatchedModel>,
  ) {
    const value = rule.scope === 'tag' ? rule.scopeValue : null;
    const tagged = value === null ? [] : [...models.values()].filter(({ tags }) => hasTag(tags, value));
    this.tagged = new Set(tagged.map(({ id }) => id));
  }

  /** What is kept by alias, of the one alias that the rule looks at, if there is but one. */
  onlyAlias<Value>(byAlias: ReadonlyMap<string, Value>): Iterable<[string, Value]> {
    const { scope, scopeValue } = this.rule;
    if (scope !== 'alias' || scopeValue === null) return byAlias;
    const value = byAlias.get(scopeValue);
    return value === undefined ? [] : [[scopeValue, value]];
  }

  hasModel({ id, alias, provider }: Pick<WatchedModel, 'id' | 'alias' | 'provider'>): boolean {
    return this.covers(id, alias, provider);
  }

  hasCalls({ configId, alias, provider }: UsagePart): boolean {
    return this.covers(configId, alias, provider);
  }

  /** Whether a subject may still have an alert of the rule. A model that is there no more says nothing against it. */
  hasSubject(subject: string): boolean {
    const { traits, scope, scopeValue } = this.rule;
    if (traits.subject === 'scope') return subject === scopeText(this.rule);
    if (traits.subject !== 'model' || scope === 'all') return true;
    if (scope === 'alias') return subject === scopeValue;
    const model = this.models.get(subject);
    return model === undefined || this.hasModel(model);
  }

  private covers(id: string, alias: string, provider: string): boolean {
    const { scope, scopeValue } = this.rule;
    if (scope === 'alias') return alias === scopeValue;
    if (scope === 'provider') return provider === scopeValue;
    return scope === 'all' || this.tagged.has(id);
  }
}
