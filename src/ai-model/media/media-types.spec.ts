import { describe, expect, it } from '@jest/globals';
import { audioFormatOf, extensionOf, kindOf, reconcile, typeOf, typeOfName } from './media-types.js';

describe('typeOf', () => {
  it.each([
    ['image/PNG; charset=x', 'image/png'],
    ['image/jpg', 'image/jpeg'],
    ['audio/x-wav', 'audio/wav'],
    ['application/octet-stream', null],
    ['', null],
    [null, null],
  ])('%j is %j', (text, type) => expect(typeOf(text)).toBe(type));
});

describe('typeOfName', () => {
  it.each([
    ['/a/b.PNG', 'image/png'],
    ['report.final.pdf', 'application/pdf'],
    ['mp3', 'audio/mpeg'],
    ['/a.b/c', null],
    ['constructor', null],
    [null, null],
  ])('%j is %j', (name, type) => expect(typeOfName(name)).toBe(type));
});

describe('kindOf', () => {
  it.each([
    ['image/svg+xml', 'image'],
    ['audio/flac', 'audio'],
    ['video/mp4', 'video'],
    ['application/pdf', 'pdf'],
    ['text/csv', 'text'],
    ['application/ld+json', 'text'],
    ['application/zip', 'document'],
  ])('%s is %s', (type, kind) => expect(kindOf(type)).toBe(kind));
});

describe('reconcile', () => {
  it.each([
    ['what was said, where the bytes show nothing', 'text/markdown', null, 'text/markdown'],
    ['what the bytes show, where nothing was said', null, 'image/png', 'image/png'],
    ['the bytes, where they differ', 'image/png', 'video/mp4', 'video/mp4'],
    ['the bytes of an image that says it is text', 'text/plain', 'image/png', 'image/png'],
    ['the word for an image that is XML', 'image/svg+xml', 'application/xml', 'image/svg+xml'],
    ['sound in a container of both', 'audio/mp4', 'video/mp4', 'audio/mp4'],
    ['sound in another container of both than was said', 'audio/wav', 'video/webm', 'audio/webm'],
    ['the word for what is in a ZIP file', 'application/epub+zip', 'application/zip', 'application/epub+zip'],
    ['the ZIP file that says it is a PDF', 'application/pdf', 'application/zip', 'application/zip'],
  ])('takes %s', (_name, declared, sniffed, type) => expect(reconcile(declared, sniffed)).toBe(type));
});

it('names formats and extensions', () => {
  expect(['audio/mpeg', 'audio/wav', 'audio/mp4', 'audio/flac'].map(audioFormatOf)).toEqual([
    'mp3',
    'wav',
    'm4a',
    'flac',
  ]);
  expect(['application/pdf', 'text/plain', 'application/x-unheard-of'].map(extensionOf)).toEqual(['pdf', 'txt', 'bin']);
});
