import { randomBytes } from 'node:crypto';

const random = (): string => randomBytes(6).toString('hex');

/** A body of `POST /api/v1/alerts/channels`, valid as it is: give only what your story is about. */
export const aWebhook = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: `hook-${random()}`,
  kind: 'webhook',
  url: `http://127.0.0.1:18081/hooks/${random()}`,
  ...fields,
});

/** A channel of kind email. */
export const aMailChannel = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: `mail-${random()}`,
  kind: 'email',
  secret: `password-${random()}`,
  smtp: {
    host: 'smtp.example.com',
    port: 465,
    security: 'tls',
    user: 'hub',
    from: 'hub@example.com',
    to: ['ops@example.com'],
  },
  ...fields,
});
