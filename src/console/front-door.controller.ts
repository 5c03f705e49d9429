import { Controller, Get, Headers, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { CONSOLE_PATH } from '../contract/console.contract.js';
import { PublicRoute } from '../platform/auth/require-scope.js';
import { AppError } from '../platform/errors/app-error.js';
import { ConsoleFiles } from './console-files.js';

/** Who types the hub's address into a browser wants the console; a program that asks for `/` has a wrong address. */
@ApiExcludeController()
@PublicRoute()
@Controller()
export class FrontDoorController {
  constructor(private readonly files: ConsoleFiles) {}

  @Get()
  open(@Headers('accept') accept: string | undefined, @Res() reply: FastifyReply): void {
    const isBrowser = accept?.includes('text/html') ?? false;
    if (!isBrowser || this.files.page === null) throw new AppError('route_not_found');
    void reply.header('vary', 'accept').redirect(`/${CONSOLE_PATH}/`, 302);
  }
}
