// The HTTP interface's metrics for Prometheus. Counted in typed arrays, because a histogram's `observe` costs more than the
// answer's routing, and exported when they are asked for.
import { ENDPOINTS, type EndpointName } from '../http/contract.ts';

const NAMES = Object.keys(ENDPOINTS) as EndpointName[];
const CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;
const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
const WIDTH = BUCKETS_SECONDS.length + 1;

export interface HttpMetrics {
  observe(name: EndpointName, status: number, milliseconds: number): void;
  /** In Prometheus' text format. */
  text(): string;
}

/** @param waiting how many wait for a decision now */
export function httpMetrics(waiting: () => number): HttpMetrics {
  const places = new Map(NAMES.map((name, place) => [name, place]));
  const counts = new Float64Array(NAMES.length * CLASSES.length);
  const buckets = new Float64Array(NAMES.length * WIDTH);
  const sums = new Float64Array(NAMES.length);
  return {
    observe(name, status, milliseconds) {
      const place = places.get(name)!;
      const seconds = milliseconds / 1000;
      counts[place * CLASSES.length + Math.min(4, Math.max(0, Math.floor(status / 100) - 1))]++;
      let bucket = 0;
      while (bucket < BUCKETS_SECONDS.length && seconds > BUCKETS_SECONDS[bucket]) bucket++;
      buckets[place * WIDTH + bucket]++;
      sums[place] += seconds;
    },
    text() {
      const lines = [
        '# HELP centinela_http_requests_total Requests that were answered, by endpoint and class of status.',
        '# TYPE centinela_http_requests_total counter',
      ];
      NAMES.forEach((name, place) => {
        CLASSES.forEach((status, index) => {
          const count = counts[place * CLASSES.length + index];
          if (count > 0) lines.push(`centinela_http_requests_total{endpoint="${name}",status="${status}"} ${count}`);
        });
      });
      lines.push(
        '# HELP centinela_http_request_seconds Time from the head of a request to the end of its answer.',
        '# TYPE centinela_http_request_seconds histogram',
      );
      NAMES.forEach((name, place) => {
        const own = buckets.subarray(place * WIDTH, (place + 1) * WIDTH);
        const total = own.reduce((sum, count) => sum + count, 0);
        if (total === 0) return;
        let below = 0;
        BUCKETS_SECONDS.forEach((limit, bucket) => {
          below += own[bucket];
          lines.push(`centinela_http_request_seconds_bucket{endpoint="${name}",le="${limit}"} ${below}`);
        });
        lines.push(
          `centinela_http_request_seconds_bucket{endpoint="${name}",le="+Inf"} ${total}`,
          `centinela_http_request_seconds_sum{endpoint="${name}"} ${sums[place]}`,
          `centinela_http_request_seconds_count{endpoint="${name}"} ${total}`,
        );
      });
      lines.push(
        '# HELP centinela_scoring_waiting Transactions whose decision is waited for.',
        '# TYPE centinela_scoring_waiting gauge',
        `centinela_scoring_waiting ${waiting()}`,
      );
      return `${lines.join('\n')}\n`;
    },
  };
}
