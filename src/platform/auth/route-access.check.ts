import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { StartupError } from '../errors/startup-error.js';
import { ROUTE_ACCESS } from './route-access.js';

const PATH_METADATA = 'path';

/** Stops the start when a route declares no scope: forgetting one must not open a door. */
@Injectable()
export class RouteAccessCheck implements OnApplicationBootstrap {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  onApplicationBootstrap(): void {
    const open = this.discovery.getControllers().flatMap((wrapper) => this.openRoutesOf(wrapper.metatype));
    if (open.length > 0) {
      throw new StartupError(
        `These routes declare no scope (@RequireScope, @RequireToken or @PublicRoute): ${open.join(', ')}.`,
      );
    }
  }

  private openRoutesOf(controller: unknown): string[] {
    if (typeof controller !== 'function') return [];
    const prototype = controller.prototype as Record<string, () => unknown>;
    return this.scanner
      .getAllMethodNames(prototype)
      .filter((name) => {
        const handler = prototype[name];
        const isRoute = handler !== undefined && Reflect.hasMetadata(PATH_METADATA, handler);
        return isRoute && !this.reflector.getAllAndOverride(ROUTE_ACCESS, [handler, controller as () => unknown]);
      })
      .map((name) => `${controller.name}.${name}`);
  }
}
