import type { OutboundRefusalReason } from './outbound-policy.js';

/** One hostile address. `reason` is why it is refused as text; null: only its resolved address gives it away. */
export interface HostileUrl {
  readonly text: string;
  readonly reason: OutboundRefusalReason | null;
}

/** Spellings of 127.0.0.1, 127.0.0.2 and other addresses of this machine or its network. */
const PRIVATE_HOSTS = [
  '127.0.0.1',
  '127.0.0.2',
  '127.1',
  '127.0.1',
  '2130706433',
  '017700000001',
  '0x7f000001',
  '0x7F.0x0.0x0.0x1',
  '0177.0.0.1',
  '0177.0.0.01',
  '0x7f.1',
  '00000177.0.0.2',
  '127.0.0.1.',
  '①②⑦.⓪.⓪.①',
  '１２７．０．０．１',
  '127。0。0。1',
  '%31%32%37.0.0.1',
  '0',
  '0.0.0.0',
  '0x0',
  '[::]',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[0000::0001]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::FFFF:127.0.0.2]',
  '[::127.0.0.1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b::7f00:2]',
  '[2002:7f00:1::]',
  '[2002:7f00:2::1]',
  '[2001:0:1:2:3:4:80ff:fffe]', // Teredo, 127.0.0.1 inverted
  'localhost',
  'LOCALHOST',
  'localhost.',
  'ｌｏｃａｌｈｏｓｔ',
  'api.localhost',
  'api.localhost.',
  'ollama',
  'db.internal',
  'printer.local',
  'router.home.arpa',
  'kubernetes.default.svc',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '198.18.0.1',
  '[fc00::1]',
  '[fd12:3456::1]',
  '255.255.255.255',
  '224.0.0.1',
  '[ff02::1]',
];

const METADATA_HOSTS = [
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '169.254.0.1',
  '[::ffff:a9fe:a9fe]',
  '[::a9fe:a9fe]',
  '[64:ff9b::a9fe:a9fe]',
  '[64:ff9b:1::a9fe:a9fe]',
  '[2002:a9fe:a9fe::]',
  '[2001:0:1:2:3:4:5601:5601]',
  '[fe80::1]',
  '[febf::1]',
  '[fd00:ec2::254]',
  '100.100.100.200',
  '[::ffff:100.100.100.200]',
  '[64:ff9b::6464:64c8]',
  '[2002:6464:64c8::]',
  '168.63.129.16',
  '192.0.0.192',
  'metadata.google.internal',
  'metadata.google.internal.',
  'METADATA.GOOGLE.INTERNAL',
  'metadata',
  'instance-data.ec2.internal',
];

/** Public-looking names that the stub resolver of the specs answers with 127.0.0.1 or 127.0.0.2. */
const REBOUND_HOSTS = ['127.0.0.1.nip.io', '7f000001.nip.io', 'localtest.me', 'spoofed.burpcollaborator.example'];

/** The corpus; `port` is where the canaries listen. */
export function hostileUrls(port: number): HostileUrl[] {
  const hosts = (names: string[], reason: OutboundRefusalReason | null): HostileUrl[] =>
    names.map((host) => ({ text: `https://${host}:${port}/v1`, reason }));
  return [
    ...hosts(PRIVATE_HOSTS, 'private_address'),
    ...hosts(METADATA_HOSTS, 'metadata_address'),
    ...hosts(REBOUND_HOSTS, null),
    ...trickyUrls(port),
  ];
}

function trickyUrls(port: number): HostileUrl[] {
  const canary = `127.0.0.1:${port}`;
  return [
    { text: `http://${canary}/`, reason: 'private_address' },
    { text: 'http://api.example.com/v1', reason: 'scheme' },
    { text: `https://api.example.com@${canary}/`, reason: 'userinfo' },
    { text: `https://api.example.com:443@${canary}/`, reason: 'userinfo' },
    { text: `https://user:secret@api.example.com:${port}/`, reason: 'userinfo' },
    { text: `https://@${canary}/`, reason: 'userinfo' },
    { text: `https://:@${canary}/`, reason: 'userinfo' },
    { text: `https://${canary}#@api.example.com/`, reason: 'fragment' },
    { text: `https://api.example.com/v1#`, reason: 'fragment' },
    { text: `https://${canary}?.api.example.com/`, reason: 'query' },
    { text: `https://api.example.com/v1?`, reason: 'query' },
    { text: `https://api.example.com\\@${canary}/`, reason: 'malformed' },
    { text: `https://${canary}\\.api.example.com/`, reason: 'malformed' },
    { text: `https:\\\\${canary}/`, reason: 'malformed' },
    { text: `https:${canary}/`, reason: 'malformed' },
    { text: `https:/${canary}/`, reason: 'malformed' },
    { text: `https:///${canary}/`, reason: 'malformed' },
    { text: `//${canary}/`, reason: 'malformed' },
    { text: ` https://${canary}/`, reason: 'malformed' },
    { text: `https://127.0\t.0.1:${port}/`, reason: 'malformed' },
    { text: `https://127.0.0.1\n:${port}/`, reason: 'malformed' },
    { text: `https://127.0.0.1\u0000.example.com:${port}/`, reason: 'malformed' },
    { text: `https://api.example.com:99999/`, reason: 'malformed' },
    { text: `https://[::1%25lo]:${port}/`, reason: 'malformed' },
    { text: `https://256.256.256.256:${port}/`, reason: 'malformed' },
    { text: `https://api..example.com:${port}/`, reason: 'malformed' },
    { text: '', reason: 'malformed' },
    { text: 'api.example.com/v1', reason: 'malformed' },
    { text: `https://api.example.com/${'a'.repeat(3000)}`, reason: 'malformed' },
    { text: 'file:///etc/passwd', reason: 'scheme' },
    { text: `gopher://${canary}/_GET`, reason: 'scheme' },
    { text: `ftp://${canary}/`, reason: 'scheme' },
    { text: `ws://${canary}/`, reason: 'scheme' },
    { text: 'data:text/plain,hello', reason: 'scheme' },
    { text: 'unix:/var/run/docker.sock', reason: 'scheme' },
    { text: 'javascript:alert(1)', reason: 'scheme' },
    { text: `blob:https://${canary}/`, reason: 'scheme' },
    { text: 'https://api.example.com:0/', reason: 'port' },
    { text: 'https://api.example.com:22/', reason: 'port' },
    { text: 'https://api.example.com:25/', reason: 'port' },
    { text: 'https://api.example.com:5432/', reason: 'port' },
    { text: 'https://api.example.com:6379/', reason: 'port' },
  ];
}
