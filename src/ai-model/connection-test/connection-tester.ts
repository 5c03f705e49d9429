import { Injectable } from '@nestjs/common';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import type { Asker } from '../calls/asker.js';
import { CallDeadline } from '../calls/call-deadline.js';
import { CallService } from '../calls/call.service.js';
import type { Proven } from './connection-test.views.js';
import { testFailureOf, type TestFailure, type TestFailureClass } from './failures.js';
import { hasCredential, KeyProof } from './key-proof.js';
import { TestAnswerer } from './test-answerer.js';
import { requireModality, type TestModality } from './test-modality.js';
import {
  FEWEST_TOKENS,
  firstLimitOf,
  isAboutLimit,
  otherLimitOf,
  questionFor,
  type TokenLimit,
} from './test-question.js';

/** Nobody waits longer for a test, whatever the model's own `request_timeout`. */
const MAX_SECONDS = 60;

/** Who tests, and until when he waits. */
export interface Tester {
  asker: Asker;
  /** Aborted when he is gone. */
  left: AbortSignal;
}

/** A model to be tested, as calls of it are made. */
export interface TestSubject {
  model: SnapshotModel;
  modality: TestModality;
  /** False: nothing is counted for it. */
  isSaved: boolean;
}

/** What was found out; `failure` null: the model answered. */
export interface Finding {
  failure: TestFailure | null;
  proven: Proven[];
  milliseconds: number;
}

interface Attempt {
  failure: TestFailure | null;
  /** The answer shows that the model took in what it was given. */
  isTakenIn: boolean;
  milliseconds: number;
}

/** The provider spoke of the model or the request, so there may be more to tell of the key. */
const WORTH_ASKING_ON: ReadonlySet<TestFailureClass> = new Set(['auth', 'not_found', 'bad_request']);

/** Makes the one call that shows whether a model works: on the path of every call, without retries. */
@Injectable()
export class ConnectionTester {
  constructor(
    private readonly calls: CallService,
    private readonly keys: KeyProof,
  ) {}

  /** Throws only what says nothing of the model, such as a shutdown. */
  async test(subject: TestSubject, tester: Tester): Promise<Finding> {
    const seconds = Math.min(subject.model.request_timeout ?? MAX_SECONDS, MAX_SECONDS);
    const endsAt = performance.now() + seconds * 1000;
    const attempt = await this.askUntil(endsAt, subject, tester);
    const { failure, milliseconds } = attempt;
    const proven = failure ? await this.provenBy(failure, subject.model, tester) : provenByAnswer(subject, attempt);
    return { failure, proven, milliseconds };
  }

  /** A model that only minds how the limit of tokens was said is asked once more, in other words. */
  private async askUntil(endsAt: number, subject: TestSubject, tester: Tester): Promise<Attempt> {
    const first = await this.ask(endsAt, subject, tester, firstLimitOf(subject.model));
    const { failure } = first;
    const isRefused = failure?.errorClass === 'bad_request' && subject.modality !== 'embeddings';
    if (!isRefused || !isAboutLimit(`${failure.param} ${failure.words}`)) return first;
    return this.ask(endsAt, subject, tester, otherLimitOf(subject.model));
  }

  private async ask(
    endsAt: number,
    { model, modality, isSaved }: TestSubject,
    { asker, left }: Tester,
    limit: TokenLimit,
  ): Promise<Attempt> {
    const startedAt = performance.now();
    const { incoming, expected } = questionFor(model, modality, limit);
    const answerer = new TestAnswerer(incoming);
    const deadline = new CallDeadline(incoming);
    const leave = (): void => deadline.abandon();
    if (left.aborted) leave();
    left.addEventListener('abort', leave);
    let failure: TestFailure | null = null;
    try {
      requireModality(model, modality);
      const tried = asTried(model, modality, (endsAt - startedAt) / 1000);
      await this.calls.run(incoming, [tried], asker, answerer, deadline, { leavesTrace: isSaved });
    } catch (error) {
      failure = testFailureOf(error);
      if (failure === null) throw error;
    } finally {
      left.removeEventListener('abort', leave);
    }
    const isTakenIn = expected === null || expected.test(answerer.text);
    return { failure, isTakenIn, milliseconds: performance.now() - startedAt };
  }

  /** An answer that is an error proves something, too. */
  private async provenBy(failure: TestFailure, model: SnapshotModel, { left }: Tester): Promise<Proven[]> {
    const { errorClass, providerStatus } = failure;
    if (providerStatus === null || errorClass === 'bad_answer') return [];
    if (errorClass === 'quota') return ['address', 'key'];
    const isKeyKnown = WORTH_ASKING_ON.has(errorClass) && (await this.keys.isKeyKnown(model, left));
    return isKeyKnown ? ['address', 'key'] : ['address'];
  }
}

const provenByAnswer = ({ model, modality }: TestSubject, { isTakenIn }: Attempt): Proven[] => [
  'address',
  // A server that needs no key takes any.
  ...(hasCredential(model) && !model.is_local ? (['key'] as const) : []),
  'model',
  ...(modality !== 'text' && isTakenIn ? [modality] : []),
];

/** As for a call, but for a model that is switched off too, once, and not for ever. */
const asTried = (model: SnapshotModel, modality: TestModality, seconds: number): SnapshotModel => ({
  ...model,
  is_enabled: true,
  max_retries: 0,
  request_timeout: Math.max(1, seconds),
  max_tokens: Math.max(FEWEST_TOKENS, model.max_tokens),
  // A prompt is for conversations.
  system_prompt_name: modality === 'embeddings' ? null : model.system_prompt_name,
});
