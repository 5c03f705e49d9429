/** An image, sound or file, as a part of a message. */
export interface Attachment {
  name: string;
  part: object;
}

/** What the browser can hold in a request without trouble; the hub has limits of its own. */
export const MAX_ATTACHMENT_BYTES = 20 * 1024 * 1024;

const dataUrlOf = (file: File): Promise<string> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => resolve(reader.result as string));
    reader.addEventListener('error', () => reject(reader.error ?? new Error('The file cannot be read.')));
    reader.readAsDataURL(file);
  });

const partOf = (file: File, url: string): object => {
  if (file.type.startsWith('image/')) return { type: 'image_url', image_url: { url } };
  if (file.type.startsWith('video/')) return { type: 'video_url', video_url: { url } };
  if (file.type.startsWith('audio/')) {
    const format = file.type.includes('wav') ? 'wav' : 'mp3';
    return { type: 'input_audio', input_audio: { data: url.slice(url.indexOf(',') + 1), format } };
  }
  return { type: 'file', file: { filename: file.name, file_data: url } };
};

export const readAttachment = async (file: File): Promise<Attachment> => ({
  name: file.name,
  part: partOf(file, await dataUrlOf(file)),
});

/** The content of a message: plain text where there is nothing else. */
export const contentOf = (text: string, attachments: readonly Attachment[]): string | object[] =>
  attachments.length === 0 ? text : [{ type: 'text', text }, ...attachments.map(({ part }) => part)];
