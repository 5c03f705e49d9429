// A page of 100 with filter and sort among 100 configs and among 100,000: only the ratio of the two means something.
// `npm run bench:list`
import { compare, startBenchServer } from './support/bench-server.js';

const SMALL = 100;
const LARGE = 100_000;

/** Every filter below matches all of the small set and thousands of the large one, so that both pages are full. */
const fill = (count) => (client) =>
  client.query(
    `INSERT INTO ai_model_configs (alias, provider, model_name, display_name, description, api_base, is_local, is_enabled,
       supports_images, priority, tags, usage_count, custom_parameters,
       created_at)
     SELECT 'model-' || lpad(n::text, 6, '0'), (CASE WHEN n <= 100 THEN 'claude' ELSE
         (enum_range(NULL::ai_provider_enum))[1 + n % 7]::text END)::ai_provider_enum, 'model-of-' || n % 50,
       'Model ' || n, repeat('What this model is for. ', 8), 'https://provider-' || n % 20 || '.example.com/v1',
       n <= 100 OR n % 4 = 0, n <= 100 OR n % 10 > 0, n <= 100 OR n % 3 = 0, n * 31 % 97,
       jsonb_build_object('team', CASE WHEN n <= 100 THEN 'team-7' ELSE 'team-' || n % 100 END, 'stage', 'production'),
       (n * 7919) % 100000, '{"temperature": 0.2}', now() - n * interval '1 minute'
     FROM generate_series(1, $1::integer) AS n`,
    [count],
  );

const CONFIGS = '/api/v1/ai-models/configs';
const QUERIES = {
  'no filter, default sort': `${CONFIGS}?limit=100`,
  'provider, default sort': `${CONFIGS}?limit=100&provider=claude`,
  'provider and images, by model name': `${CONFIGS}?limit=100&provider=claude&supports_images=true&sort=model_name`,
  'status, default sort': `${CONFIGS}?limit=100&status=configured`,
  'status and local, newest first': `${CONFIGS}?limit=100&status=configured&is_local=true&sort=-created_at`,
  'tag, default sort': `${CONFIGS}?limit=100&tag=team:team-7`,
  'tag, most used first': `${CONFIGS}?limit=100&tag=team:team-7&sort=-usage_count`,
  'search, by alias': `${CONFIGS}?limit=100&q=model-0000&sort=alias`,
};

const server = await startBenchServer();
try {
  const small = await server.hub('bench_small', 18_461, fill(SMALL));
  const large = await server.hub('bench_large', 18_462, fill(LARGE));
  const results = await compare(QUERIES, [small, large]);
  console.log(`page of 100, median of each              ${SMALL} configs   ${LARGE} configs   ratio   matches`);
  for (const { name, before, after, ratio, bodies } of results) {
    const totals = bodies.map(({ total }) => total).join(' / ');
    console.log(
      `  ${name.padEnd(36)} ${before.toFixed(2).padStart(9)} ms ${after.toFixed(2).padStart(12)} ms ${ratio.toFixed(2).padStart(7)}   ${totals}`,
    );
  }
} finally {
  await server.close();
}
