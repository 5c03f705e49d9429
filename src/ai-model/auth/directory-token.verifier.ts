import { Injectable } from '@nestjs/common';
import type { Identity } from '../../platform/auth/identity.js';
import { hashToken, isWellFormedToken } from '../../platform/auth/token-text.js';
import { TokenVerifier } from '../../platform/auth/token-verifier.js';
import { ModelDirectory } from '../model-directory/model-directory.js';

/** Tokens that an operator may have set, see `ADMIN_TOKEN`. */
const OPERATOR_TOKEN = /^[\x21-\x7e]{32,256}$/;

/** The AI model service knows tokens by the hashes of its snapshot, so it stays as strict while storage is away. */
@Injectable()
export class DirectoryTokenVerifier extends TokenVerifier {
  constructor(private readonly directory: ModelDirectory) {
    super();
  }

  verify(token: string): Identity | null | Promise<Identity | null> {
    if (!OPERATOR_TOKEN.test(token)) return null;
    return this.directory.identify(hashToken(token), isWellFormedToken(token));
  }
}
