import { Global, Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { AuthFailures } from './auth/auth-failures.js';
import { Sessions } from './auth/sessions.js';
import { RouteAccessCheck } from './auth/route-access.check.js';
import { Env } from './config/env.js';
import { ThisInstance } from './config/this-instance.js';
import { HealthRegistry } from './health/health-registry.js';
import { HealthController } from './health/health.controller.js';
import { DirectLane } from './http/direct-lane.js';
import { ListenAddress } from './http/listen-address.js';
import { MetricsRegistry } from './metrics/metrics-registry.js';
import { OutboundPolicy } from './http/outbound/outbound-policy.js';
import { redisAddressOf } from './redis/redis-address.js';
import { RedisConnection } from './redis/redis-connection.js';
import { redisFamilies } from './redis/redis-families.js';
import type { Secret } from './secrets/secret.js';

const redisProvider = (url: Secret): FactoryProvider => {
  const address = redisAddressOf(url);
  return {
    provide: RedisConnection,
    useFactory: (health: HealthRegistry, metrics: MetricsRegistry) => {
      const redis = new RedisConnection(address, health);
      metrics.add(...redisFamilies(redis));
      return redis;
    },
    inject: [HealthRegistry, MetricsRegistry],
  };
};

/** Technical ground that both services stand on; knows no business word. */
@Global()
@Module({})
export class PlatformModule {
  static register(env: Env, lane: DirectLane, instance: ThisInstance): DynamicModule {
    const outboundPolicy = {
      provide: OutboundPolicy,
      useFactory: () => new OutboundPolicy(env.ALLOWED_PRIVATE_ORIGINS),
    };
    const redis = env.REDIS_URL ? [redisProvider(env.REDIS_URL)] : [];
    return {
      module: PlatformModule,
      imports: [DiscoveryModule],
      controllers: [HealthController],
      providers: [
        { provide: Env, useValue: env },
        { provide: DirectLane, useValue: lane },
        { provide: ThisInstance, useValue: instance },
        AuthFailures,
        ListenAddress,
        HealthRegistry,
        MetricsRegistry,
        RouteAccessCheck,
        Sessions,
        outboundPolicy,
        ...redis,
      ],
      exports: [
        Env,
        DirectLane,
        ThisInstance,
        AuthFailures,
        Sessions,
        ListenAddress,
        HealthRegistry,
        MetricsRegistry,
        OutboundPolicy,
        ...redis,
      ],
    };
  }
}
