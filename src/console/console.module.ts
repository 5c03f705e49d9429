import { Module, type DynamicModule } from '@nestjs/common';
import { ConsoleController } from './console.controller.js';
import { ConsoleFiles } from './console-files.js';
import { FrontDoorController } from './front-door.controller.js';
import { SessionController } from './session.controller.js';
import { SignInCode } from './sign-in-code.js';

/** The web console: a page, and the sessions of those who use it. It knows the API, and no service. */
@Module({})
export class ConsoleModule {
  /** `storage` is the module whose tokens the sessions stand for. */
  static register(storage: DynamicModule, code: SignInCode | null): DynamicModule {
    return {
      module: ConsoleModule,
      imports: [storage],
      // The more exact path first.
      controllers: [FrontDoorController, SessionController, ConsoleController],
      providers: [
        { provide: ConsoleFiles, useValue: new ConsoleFiles() },
        { provide: SignInCode, useValue: code },
      ],
    };
  }
}
