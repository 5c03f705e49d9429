import { Module, type DynamicModule } from '@nestjs/common';
import type { Env } from '../platform/config/env.js';
import type { ThisInstance } from '../platform/config/this-instance.js';
import type { DirectLane } from '../platform/http/direct-lane.js';
import { MetricsController } from '../platform/metrics/metrics.controller.js';
import { PlatformModule } from '../platform/platform.module.js';
import { DocsController, OpenApiDocument } from './docs.controller.js';
import { InfoController } from './info.controller.js';
import type { ServicePart } from './roles.js';

/**
 * The root. Its own routes ask the first part of the role whose a token is: the storage service where it runs, else
 * the AI model service.
 */
@Module({})
export class AppModule {
  static register(env: Env, parts: readonly ServicePart[], lane: DirectLane, instance: ThisInstance): DynamicModule {
    const [first, ...others] = parts.map((part) => part.module);
    const system: DynamicModule = {
      module: SystemModule,
      imports: first ? [first] : [],
      controllers: [InfoController, DocsController, MetricsController],
      providers: [OpenApiDocument],
    };
    return { module: AppModule, imports: [PlatformModule.register(env, lane, instance), system, ...others] };
  }
}

@Module({})
class SystemModule {}
