import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import {
  COUNTERS,
  type CounterName,
  GAUGES,
  type GaugeName,
  HISTOGRAMS,
  type HistogramName,
  type LabelsOf,
  type MetricName,
} from '../model/metric.ts';
import type { Meter } from '../service/ports.ts';
import { COUNTER_HELP, GAUGE_HELP, HISTOGRAM_FORMS } from './table.ts';

const PREFIX = 'flow_manager_';

/** Reads figures that are looked up rather than counted, such as a backlog, and sets their gauges. */
export type Source = () => Promise<void>;

export interface MetricsOptions {
  /** Default true: memory, event loop and garbage collection of this process, under prom-client's own names. */
  readonly process?: boolean;
  /** How long a scrape waits for its sources; default 1,000 ms. */
  readonly source_timeout_ms?: number;
}

/**
 * The `Meter` that counts for Prometheus. All metrics are registered at once, those without labels from 0 on, so that
 * a dashboard finds them before anything has happened.
 */
export class Metrics implements Meter {
  readonly #registry = new Registry();
  readonly #counters: ReadonlyMap<string, Counter>;
  readonly #gauges: ReadonlyMap<string, Gauge>;
  readonly #histograms: ReadonlyMap<string, Histogram>;
  readonly #sources = new Map<string, Source>();
  readonly #timeout_ms: number;

  constructor(options: MetricsOptions = {}) {
    const registers = [this.#registry];
    this.#timeout_ms = options.source_timeout_ms ?? 1_000;
    this.#counters = each(COUNTERS, (name, form) => new Counter({ ...form, help: COUNTER_HELP[name], registers }));
    this.#gauges = each(GAUGES, (name, form) => new Gauge({ ...form, help: GAUGE_HELP[name], registers }));
    this.#histograms = each(HISTOGRAMS, (name, form) => {
      const { help, buckets } = HISTOGRAM_FORMS[name];
      return new Histogram({ ...form, help, buckets: [...buckets], registers });
    });
    if (options.process ?? true) collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  add<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, value = 1): void {
    known(this.#counters, name).inc(labels, value);
  }

  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, value: number): void {
    known(this.#histograms, name).observe(labels, value);
  }

  set<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void {
    known(this.#gauges, name).set(labels, value);
  }

  /** Is asked before every scrape. One that fails or is late leaves its gauges as they were, and is counted. */
  addSource(name: string, source: Source): void {
    this.#sources.set(name, source);
  }

  /** Everything in Prometheus' text form. */
  async render(): Promise<string> {
    await Promise.all([...this.#sources].map(([name, source]) => this.#ask(name, source)));
    return await this.#registry.metrics();
  }

  async #ask(name: string, source: Source): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${name} took longer than ${this.#timeout_ms} ms`)), this.#timeout_ms);
    });
    try {
      await Promise.race([source(), late]);
    } catch {
      // A scrape must tell the rest: most of all while a server is away.
      this.add('scrape_error_total', { source: name });
    } finally {
      clearTimeout(timer);
    }
  }
}

interface Form {
  readonly name: string;
  readonly labelNames: string[];
}

function each<Name extends MetricName, Metric>(
  table: Readonly<Record<Name, readonly string[]>>,
  make: (name: Name, form: Form) => Metric,
): ReadonlyMap<string, Metric> {
  const names = Object.keys(table) as Name[];
  return new Map(names.map((name) => [name, make(name, { name: PREFIX + name, labelNames: [...table[name]] })]));
}

function known<Metric>(metrics: ReadonlyMap<string, Metric>, name: string): Metric {
  const metric = metrics.get(name);
  if (metric === undefined) throw new Error(`no metric named ${name} of this kind: pkg/model/metric.ts lists them`);
  return metric;
}
