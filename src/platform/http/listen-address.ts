import { Injectable } from '@nestjs/common';

/** Where this process listens, known once it does: with `PORT=0` the system picks one. */
@Injectable()
export class ListenAddress {
  private address: string | null = null;
  private readonly listeners: (() => void)[] = [];

  /** Such as `http://127.0.0.1:8000`; null before `listen`. */
  get url(): string | null {
    return this.address;
  }

  /** What needs other services starts here: none of them is called while booting. */
  onListening(listener: () => void): void {
    this.listeners.push(listener);
  }

  set(url: string): void {
    this.address = url;
    for (const listener of this.listeners) listener();
  }
}
