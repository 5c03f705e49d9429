import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository } from 'typeorm';
import type { CreatedToken, TokenCreate, TokenList, TokenQuery } from '../../contract/token.contract.js';
import type { Identity } from '../../platform/auth/identity.js';
import { generateToken, hashToken } from '../../platform/auth/token-text.js';
import { AppError } from '../../platform/errors/app-error.js';
import { ChangeService } from '../database/change.service.js';
import { TokenEntity } from './token.entity.js';
import { toTokenView } from './token.mapper.js';

const DEFAULT_LIMIT = 100;

/** API tokens. Their text is shown once and stored as a hash. */
@Injectable()
export class TokenService {
  constructor(
    @InjectRepository(TokenEntity) private readonly tokens: Repository<TokenEntity>,
    private readonly changes: ChangeService,
  ) {}

  /** A token can never give more than it has. */
  async create(body: TokenCreate, creator: Identity): Promise<CreatedToken> {
    const missing = body.scopes.filter((scope) => !creator.scopes.has(scope));
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
      createdBy: creator.tokenId,
      expiresAt: body.expires_at ? new Date(body.expires_at) : null,
    };
    const row = await this.changes.commit(async (manager) => {
      await manager.insert(TokenEntity, values);
      return { result: await manager.findOneByOrFail(TokenEntity, { id: values.id }), changed: true };
    });
    return { ...toTokenView(row), token: text };
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
  async revoke(id: string): Promise<void> {
    await this.changes.commit(async (manager) => {
      const { affected } = await manager.update(TokenEntity, { id, revokedAt: IsNull() }, { revokedAt: () => 'now()' });
      if (affected === 0)
        throw new AppError('token_not_found', { detail: 'There is no such token, or it is revoked already.' });
      return { result: undefined, changed: true };
    });
  }
}
