/**
 * Ports that never serve a model API, where a well-placed HTTP request can do harm: the "bad ports" of the WHATWG fetch
 * standard (mail, telnet, IRC and the like), then databases, queues and the control ports of Docker, etcd and Kubernetes.
 * They are open only to an origin that the operator listed with exactly this port; `*` does not include them.
 */
export const ODD_PORTS: ReadonlySet<number> = new Set([
  1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
  111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
  540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
  6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10_080, 1433, 1521, 2375, 2376, 2379, 2380, 3306, 3389, 5432,
  5672, 6379, 9042, 9092, 10_250, 10_255, 11_211, 27_017,
]);

/** Those of them where mail servers listen for clients. */
export const MAIL_PORTS: ReadonlySet<number> = new Set([25, 465, 587]);
