import type { Env } from '../config/env.js';
import type { ThisInstance } from '../config/this-instance.js';
import type { Tracing } from './span.js';

/** Where spans go, if the operator said so; only then OpenTelemetry's SDK is loaded. */
export const openTracing = async (env: Env, instance: ThisInstance): Promise<Tracing | null> => {
  if (env.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return null;
  const { OpenTelemetry } = await import('./open-telemetry.js');
  return OpenTelemetry.start(env, env.OTEL_EXPORTER_OTLP_ENDPOINT, instance);
};
