import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  ENCRYPTION_KEY_ID_PROBLEM,
  EncryptionKeyActivation,
  EncryptionKeyState,
  EncryptionKeyStatus,
  isEncryptionKeyId,
  RemovedEncryptionKey,
  RewrapRequest,
  RewrapResult,
} from '../../contract/encryption-key.contract.js';
import { ENCRYPTION_KEYS_PATH } from '../../contract/paths.js';
import { type Author, CurrentAuthor, IdempotencyKeyHeader } from '../../platform/auth/author.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { invalidFields } from '../../platform/errors/app-error.js';
import { ApiProblems } from '../../platform/http/api-docs.js';
import { EncryptionKeyService } from './encryption-key.service.js';

const KeyIdParam = (name: string): ParameterDecorator =>
  Param(name, {
    transform: (value: unknown) => {
      if (isEncryptionKeyId(value)) return value;
      throw invalidFields({ field: name, message: `${name} ${ENCRYPTION_KEY_ID_PROBLEM}` });
    },
  });

/** Rotation is: add a key, activate it, rewrap until nothing remains, remove the old one. Key material never travels. */
@ApiTags('encryption keys')
@RequireScope('admin')
@Controller(ENCRYPTION_KEYS_PATH)
export class EncryptionKeyController {
  constructor(private readonly keys: EncryptionKeyService) {}

  /** The keys, what is sealed under each of them, and which process knows which. */
  @Get()
  @ApiOkResponse({ type: EncryptionKeyStatus })
  @ApiProblems(503)
  status(): Promise<EncryptionKeyStatus> {
    return this.keys.status();
  }

  /** Add a new random key that opens and does not seal yet. Takes no body. */
  @Post()
  @ApiCreatedResponse({ type: EncryptionKeyState })
  @IdempotencyKeyHeader()
  @ApiProblems(409, 422, 503)
  add(@CurrentAuthor() author: Author): Promise<EncryptionKeyState> {
    return this.keys.add(author);
  }

  /** Seal with this key from now on; waits some seconds for the other storage processes to know it. */
  @Put('active')
  @ApiOkResponse({ type: EncryptionKeyState })
  @ApiProblems(400, 404, 409, 503)
  activate(@Body() body: EncryptionKeyActivation, @CurrentAuthor() author: Author): Promise<EncryptionKeyState> {
    return this.keys.activate(body.key_id, author);
  }

  /** Seal one batch of rows anew under the active key: send it again until `remaining` is 0. */
  @Post('rewrap')
  @HttpCode(200)
  @ApiOkResponse({ type: RewrapResult })
  @ApiProblems(400, 409, 503)
  rewrap(@Body() body: RewrapRequest, @CurrentAuthor() author: Author): Promise<RewrapResult> {
    // Everything in it can be left out, and so can the body.
    return this.keys.rewrap({ ...body }, author);
  }

  /** Take a key out of the ring that nothing is sealed under. Backups of before still need it: keep it with them. */
  @Delete(':id')
  @ApiOkResponse({ type: RemovedEncryptionKey })
  @ApiProblems(400, 404, 409, 503)
  remove(@KeyIdParam('id') id: string, @CurrentAuthor() author: Author): Promise<RemovedEncryptionKey> {
    return this.keys.remove(id, author);
  }
}
