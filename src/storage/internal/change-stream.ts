import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { ChangeService } from '../database/change.service.js';

/** Others tell their changes by NOTIFY; should that be lost, they are found by looking. */
const LOOK_MILLISECONDS = 1000;
const HEARTBEAT_MILLISECONDS = 15_000;
/** So many watchers are told at once, the next ones a moment later. */
const WAVE = 8;
const WAVE_MILLISECONDS = 20;
/** A watcher that has left so much unread is gone or hangs; it may come back. */
const MAX_UNREAD_BYTES = 64 * 1024;

/** Tells watchers the revision whenever it moves. Only a hint: who misses it finds the same revision by polling. */
@Injectable()
export class ChangeStream implements BeforeApplicationShutdown {
  private readonly watchers = new Set<ServerResponse>();
  private lastTold = 0;
  private isClosed = false;
  private look: NodeJS.Timeout | undefined;
  private heartbeat: NodeJS.Timeout | undefined;

  constructor(private readonly changes: ChangeService) {
    changes.onRevision((revision) => this.tell(revision));
  }

  /** How many are told of changes. */
  get watcherCount(): number {
    return this.watchers.size;
  }

  /** Streams to `response` until either side ends it. */
  add(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    // Node holds the head of a HEAD back until the end, which a stream has not.
    if (response.req.method === 'HEAD') return void response.end();
    response.write(this.lastTold > 0 ? event(this.lastTold) : ': hello\n\n');
    // Who comes back during the shutdown must not hold it up.
    if (this.isClosed) return void response.end();
    this.watchers.add(response);
    response.on('close', () => this.remove(response));
    this.look ??= setInterval(() => void this.changes.lookForOthers(), LOOK_MILLISECONDS);
    this.heartbeat ??= setInterval(() => this.beat(), HEARTBEAT_MILLISECONDS);
  }

  beforeApplicationShutdown(): void {
    this.isClosed = true;
    for (const watcher of this.watchers) watcher.end();
    this.stopTimers();
  }

  private remove(response: ServerResponse): void {
    this.watchers.delete(response);
    if (this.watchers.size === 0) this.stopTimers();
  }

  private stopTimers(): void {
    clearInterval(this.look);
    clearInterval(this.heartbeat);
    this.look = undefined;
    this.heartbeat = undefined;
  }

  private tell(revision: number): void {
    if (revision <= this.lastTold) return;
    this.lastTold = revision;
    void this.tellInWaves(event(revision));
  }

  /** So that a change does not make a hundred processes ask in the same millisecond. */
  private async tellInWaves(text: string): Promise<void> {
    const watchers = [...this.watchers];
    for (let at = 0; at < watchers.length; at += WAVE) {
      if (at > 0) await sleep(WAVE_MILLISECONDS, undefined, { ref: false });
      for (const watcher of watchers.slice(at, at + WAVE)) if (this.watchers.has(watcher)) write(watcher, text);
    }
  }

  private beat(): void {
    for (const watcher of this.watchers) write(watcher, ': alive\n\n');
  }
}

const write = (watcher: ServerResponse, text: string): void => {
  if (watcher.writableLength > MAX_UNREAD_BYTES) watcher.destroy();
  else watcher.write(text);
};

const event = (revision: number): string => `data: {"revision":${revision}}\n\n`;
