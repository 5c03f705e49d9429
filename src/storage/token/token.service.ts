import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository } from 'typeorm';
import type { CreatedToken, TokenCreate, TokenList, TokenQuery } from '../../contract/token.contract.js';
import type { Author } from '../../platform/auth/author.js';
import { generateToken, hashToken } from '../../platform/auth/token-text.js';
import { AppError } from '../../platform/errors/app-error.js';
import { ChangeService } from '../database/change.service.js';
import type { Transaction } from '../database/transaction.js';
import { TokenEntity } from './token.entity.js';
import { toTokenState, toTokenView } from './token.mapper.js';

const DEFAULT_LIMIT = 100;

/** API tokens. Their text is shown once and stored as a hash. */
@Injectable()
export class TokenService {
  constructor(
    @InjectRepository(TokenEntity) private readonly tokens: Repository<TokenEntity>,
    private readonly changes: ChangeService,
  ) {}

  /** A token can never give more than it has. */
  async create(body: TokenCreate, author: Author): Promise<CreatedToken> {
    const missing = body.scopes.filter((scope) => !author.scopes.has(scope));
    if (missing.length > 0) {
      throw new AppError('scope_not_grantable', {
        detail: `Your token lacks ${missing.join(', ')}, so it cannot give it away.`,
      });
    }
    const { text, prefix } = generateToken('api');
    const values = {
      id: randomUUID(),
      name: body.name,
      prefix,
      tokenSha256: hashToken(text),
      scopes: body.scopes,
      createdBy: author.tokenId,
      expiresAt: body.expires_at ? new Date(body.expires_at) : null,
    };
    const created = await this.changes.commit(author, async (transaction) => {
      await transaction.manager.insert(TokenEntity, values);
      const row = await transaction.manager.findOneByOrFail(TokenEntity, { id: values.id });
      record(transaction, 'create', null, row);
      return toTokenView(row);
    });
    // A repeated request: what it created has another id, and its text is known to nobody here.
    if (created.id !== values.id) {
      throw new AppError('token_already_created', {
        detail: `This request created the token ${created.id} already, and a token's text is shown once. If it is lost, revoke that token and create another with a new Idempotency-Key.`,
      });
    }
    return { ...created, token: text };
  }

  async list(query: TokenQuery): Promise<TokenList> {
    const page = { skip: query.skip ?? 0, limit: query.limit ?? DEFAULT_LIMIT };
    const [rows, total] = await this.tokens.findAndCount({
      order: { createdAt: 'DESC', id: 'ASC' },
      skip: page.skip,
      take: page.limit,
    });
    return { tokens: rows.map(toTokenView), total, ...page };
  }

  /** Ends a token for good; its row stays, so that old changes keep their author. */
  async revoke(id: string, author: Author): Promise<void> {
    await this.changes.commit(author, async (transaction) => {
      const { manager } = transaction;
      const { affected } = await manager.update(TokenEntity, { id, revokedAt: IsNull() }, { revokedAt: () => 'now()' });
      if (affected === 0)
        throw new AppError('token_not_found', { detail: 'There is no such token, or it is revoked already.' });
      const row = await manager.findOneByOrFail(TokenEntity, { id });
      record(transaction, 'revoke', { ...row, revokedAt: null }, row);
    });
  }
}

const record = (
  transaction: Transaction,
  action: 'create' | 'revoke',
  before: TokenEntity | null,
  after: TokenEntity,
): void =>
  transaction.record({
    kind: 'token',
    subjectId: after.id,
    subjectName: after.name,
    action,
    version: null,
    before: before && toTokenState(before),
    after: toTokenState(after),
  });
