import { Injectable } from '@nestjs/common';
import type { Identity } from '../../platform/auth/identity.js';
import { hashToken, isWellFormedToken, mayBeToken } from '../../platform/auth/token-text.js';
import { TokenVerifier } from '../../platform/auth/token-verifier.js';
import { ModelDirectory } from '../model-directory/model-directory.js';

/** The AI model service knows tokens by the hashes of its snapshot, so it stays as strict while storage is away. */
@Injectable()
export class DirectoryTokenVerifier extends TokenVerifier {
  constructor(private readonly directory: ModelDirectory) {
    super();
  }

  verify(token: string): Identity | null | Promise<Identity | null> {
    if (!mayBeToken(token)) return null;
    return this.directory.identify(hashToken(token), isWellFormedToken(token));
  }
}
