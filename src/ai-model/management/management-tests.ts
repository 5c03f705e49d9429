import { Injectable } from '@nestjs/common';
import { ConnectionTestService, type TestAsker } from '../connection-test/connection-test.service.js';
import type { TestFailureClass } from '../connection-test/failures.js';
import type { ConnectionTestResult } from '../connection-test/connection-test.views.js';
import { ModelDirectory } from '../model-directory/model-directory.js';
import type { ManagedTest } from './management.views.js';

/** What only another key can mend. */
const NEEDS_KEY: ReadonlySet<TestFailureClass> = new Set(['auth', 'credential_missing', 'credential_unavailable']);

/** The connection test in the words of the management API. */
@Injectable()
export class ManagementTests {
  constructor(
    private readonly tests: ConnectionTestService,
    private readonly directory: ModelDirectory,
  ) {}

  async test(id: string, asker: TestAsker): Promise<ManagedTest> {
    const result = await this.tests.testSaved(id, undefined, asker);
    const { error_class: failure } = result;
    if (failure !== null) {
      return {
        status: 'error',
        message: [result.message, result.provider_message, result.hint].filter(Boolean).join(' '),
        requires_api_key: NEEDS_KEY.has(failure),
        error_type: failure,
      };
    }
    return {
      status: 'success',
      message: result.message,
      response_time_ms: result.response_time_ms,
      model_info: {
        name: result.model_name,
        provider: result.provider,
        endpoint: result.endpoint,
        has_api_key: this.hasKey(result),
      },
    };
  }

  private hasKey({ alias }: ConnectionTestResult): boolean {
    return this.directory.known(alias)?.has_api_key ?? false;
  }
}
