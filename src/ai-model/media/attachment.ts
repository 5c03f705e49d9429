import { kindOf, type MediaKind } from './media-types.js';

/** The part types that carry something besides text: OpenAI's, then those of vLLM and llama.cpp. */
export const MEDIA_PARTS = ['image_url', 'input_audio', 'file', 'audio_url', 'video_url', 'input_video'] as const;

export type MediaPart = (typeof MEDIA_PARTS)[number];

/** A part as the caller sent it. */
export type Part = Readonly<Record<string, unknown>>;

/** Where the content is: with the caller's request, at an address, or with the provider under an id. */
export type MediaSource = { base64: string } | { url: URL; text: string } | { fileId: string };

/** What a part of this type is as long as nothing says more. */
const PRESUMED: Readonly<Record<MediaPart, MediaKind>> = {
  image_url: 'image',
  input_audio: 'audio',
  audio_url: 'audio',
  file: 'pdf',
  video_url: 'video',
  input_video: 'video',
};

/** Something in a message that is not text, and what is known of it so far. */
export class Attachment {
  /** MIME type without parameters; null: not known yet. */
  type: string | null;
  /** Bytes; null: not known yet. */
  size: number | null = null;
  /** The content; null: it is elsewhere. */
  base64: string | null;

  /** The MIME type in the caller's own spelling, where he wrote one; the part is then sent as it is only if it is right. */
  written: string | null = null;

  /**
   * @param field the part's field that the content or its address is in, such as `messages[0].content[1].image_url.url`
   * @param declared its MIME type by what the caller says
   */
  constructor(
    readonly part: Part,
    readonly partType: MediaPart,
    readonly field: string,
    readonly source: MediaSource,
    readonly declared: string | null,
    readonly filename: string | null = null,
  ) {
    this.type = declared;
    this.base64 = 'base64' in source ? source.base64 : null;
  }

  get kind(): MediaKind {
    return this.type === null ? PRESUMED[this.partType] : kindOf(this.type);
  }

  get url(): URL | null {
    return 'url' in this.source ? this.source.url : null;
  }
}
