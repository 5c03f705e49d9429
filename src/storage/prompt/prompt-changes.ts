import { Injectable } from '@nestjs/common';
import type { Author } from '../../platform/auth/author.js';
import { ChangeService } from '../database/change.service.js';
import type { Transaction } from '../database/transaction.js';
import { Turns } from '../database/turns.js';

/** Changes of templates that are there: those of one template take turns. */
@Injectable()
export class PromptChanges {
  private readonly turns = new Turns();

  constructor(private readonly changes: ChangeService) {}

  commit<Result>(id: string, author: Author, work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.turns.take(id, () => this.changes.commit(author, work));
  }
}
