// The commands from end to end on simulated transactions: what they write, what they print, and that a seed repeats.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { centinela, centinelaHere, jsonOf, temporaryFolder } from './run-program.ts';

const isLong = process.env.CENTINELA_LONG_TESTS === '1';

const folder = temporaryFolder();
afterAll(() => folder.remove());

const FILE = folder.path('bank.csv.gz');
const simulate = (out: string, seed = '5', run = centinelaHere) =>
  jsonOf(run, 'simulate', '--customers', '200', '--days', '20', '--seed', seed, '--out', out);
const linesOf = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n');

let simulated: Awaited<ReturnType<typeof simulate>>;
beforeAll(async () => {
  simulated = await simulate(FILE, '5', centinela);
});

describe('simulate', () => {
  it('writes the same transactions as CSV, NDJSON and Parquet', async () => {
    const [ndjson, parquet] = [folder.path('bank.ndjson'), folder.path('bank.parquet')];
    const summaries = [await simulate(ndjson), await simulate(parquet)];
    const { seconds: _, ...counts } = simulated;
    for (const summary of summaries) expect(summary).toMatchObject(counts);
    const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
    const rowsOf = async (source: string) =>
      (
        await connection.runAndReadAll(
          `select id, eventTimeMs::bigint::varchar, amountMinor::bigint::varchar, currency, payerId, payeeId, concept,
             isFraud::boolean::varchar, typology
           from ${source} order by id`,
        )
      ).getRows();
    const csv = await rowsOf(`read_csv('${FILE}', all_varchar = true)`);
    expect(csv).toHaveLength(simulated.rows);
    expect(await rowsOf(`read_json('${ndjson}', format = 'newline_delimited')`)).toEqual(csv);
    expect(await rowsOf(`read_parquet('${parquet}')`)).toEqual(csv);
    connection.closeSync();
  });

  it('writes the same bytes for the same seed and others for another', async () => {
    await simulate(folder.path('again.csv.gz'));
    await simulate(folder.path('other.csv.gz'), '6');
    expect(readFileSync(folder.path('again.csv.gz')).equals(readFileSync(FILE))).toBe(true);
    expect(readFileSync(folder.path('other.csv.gz')).equals(readFileSync(FILE))).toBe(false);
  });

  it('counts what it wrote', () => {
    const { rows, frauds, errors, byTypology, seconds } = simulated;
    expect(gunzipSync(readFileSync(FILE)).toString().trimEnd().split('\n')).toHaveLength(rows + 1);
    const counted = (letter: string) =>
      Object.entries<number>(byTypology).reduce((sum, [code, count]) => sum + (code[0] === letter ? count : 0), 0);
    expect([counted('F'), counted('E')]).toEqual([frauds, errors]);
    expect(frauds).toBeGreaterThan(0);
    expect(seconds).toBeGreaterThan(0);
  });
});

describe('detect', () => {
  it('ranks the anomalies of a file it recognises, and repeats itself', async () => {
    const argv = ['detect', FILE, '--top', '20', '--out'];
    const first = await jsonOf(centinela, ...argv, folder.path('first'));
    const { exitCode, out: text } = await centinela(...argv, folder.path('second'), '--lang', 'en');
    expect(first).toMatchObject({ rows: simulated.rows, rejected: 0 });
    expect(first.detectors).toContain('isolation-forest');
    for (const key of ['flagged', 'seconds', 'rowsPerSecond', 'peakMemoryMb']) expect(first[key]).toBeGreaterThan(0);
    expect(first.top.length).toBeGreaterThan(0);
    for (const { id, score, decision, reasons } of first.top) {
      expect(id).toMatch(/^\w+$/);
      expect(score).toBeGreaterThan(0);
      expect(score).toBeLessThanOrEqual(1);
      expect(['review', 'hold', 'challenge', 'decline']).toContain(decision);
      expect(reasons[0]).toMatch(/\w/);
    }
    const scores = first.top.map(({ score }: { score: number }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    const rows = linesOf(folder.path('first', 'anomalies.csv'));
    expect(rows).toHaveLength(first.flagged + 1);
    expect(linesOf(folder.path('second', 'anomalies.csv'))).toEqual(rows);
    expect(readFileSync(folder.path('first', 'report.html'), 'utf8')).toContain(first.top[0].id);
    expect(exitCode).toBe(0);
    expect(text).toContain('Main reason');
    const named = text.match(/\S+\.(html|csv)/g) ?? [];
    expect(named).toHaveLength(2);
    for (const path of named) expect(existsSync(path)).toBe(true);
  });

  it('works without labels, and puts the rows it refuses into rejected.csv', async () => {
    const [head, ...rows] = gunzipSync(readFileSync(FILE)).toString().trimEnd().split('\n');
    const labels = head.split(',').indexOf('isFraud');
    const amount = head.split(',').indexOf('amountMinor');
    const unlabelled = [head, ...rows].map((line) => line.split(',').slice(0, labels));
    unlabelled[7][amount] = 'mucho';
    const path = folder.path('unlabelled.csv.gz');
    writeFileSync(path, gzipSync(unlabelled.join('\n')));
    const out = folder.path('unlabelled');
    const result = await jsonOf(centinela, 'detect', path, '--mapping', 'canonical', '--out', out);
    expect(result).toMatchObject({ rows: simulated.rows - 1, rejected: 1, detectors: ['isolation-forest'] });
    expect(result.top.length).toBeGreaterThan(0);
    expect(linesOf(folder.path('unlabelled', 'rejected.csv'))[1]).toMatch(/^8,.*mucho/);
    expect(readdirSync(out).sort()).toEqual(['anomalies.csv', 'rejected.csv', 'report.html']);
  });

  it.runIf(isLong)('ranks with the rules whose features are there, with those of a file, or with none', async () => {
    const rulesOf = async (name: string, ...more: string[]) => {
      await jsonOf(centinela, 'detect', FILE, '--detectors', 'isolation-forest', '--out', folder.path(name), ...more);
      const [head, ...rows] = linesOf(folder.path(name, 'anomalies.csv'));
      expect(head).toMatch(/,typology,rules,model_risk$/);
      return new Set(rows.flatMap((row) => /,([a-z0-9-]+@\d[^,]*),[^,]*$/.exec(row)?.[1].split(' ') ?? []));
    };
    const own = folder.path('own.yaml');
    const rule = 'id: own-rule, version: 3, name: { es: a, en: a }, owner: o, severity: critical, action: hold';
    writeFileSync(own, `rules:\n  - { ${rule}, reason: MONTO_REDONDO, when: amount > 500 and pair_is_new }\n`);
    expect((await rulesOf('by-package')).size).toBeGreaterThan(5);
    expect([...(await rulesOf('by-own', '--rules', own))]).toEqual(['own-rule@3']);
    expect((await rulesOf('by-none', '--rules', 'none')).size).toBe(0);
    // Without payees' features the rule cannot fire.
    expect((await rulesOf('by-handbook', '--rules', own, '--features', 'handbook')).size).toBe(0);
    writeFileSync(own, `rules:\n  - { ${rule}, reason: MONTO_REDONDO, when: amuont > 500 }\n`);
    const refused = await centinelaHere('detect', FILE, '--rules', own, '--out', folder.path('refused'));
    expect(refused).toMatchObject({ exitCode: 1, errors: expect.stringContaining('own.yaml:2:') });
  });
});

describe('train, models and score', () => {
  const registry = folder.path('registry');

  it('register a model, list it and decide with it', async () => {
    const trained = await jsonOf(centinela, 'train', FILE, '--registry', registry, '--name', 'first');
    expect(Object.keys(trained).sort()).toEqual(['detectors', 'metrics', 'model', 'seconds', 'thresholds']);
    expect(trained.model).toBe('first@1');
    expect(trained.thresholds).toMatchObject({ by: 'share', reviewShare: 0.005, reviewAtRisk: expect.any(Number) });
    expect(trained.metrics.policy).toMatchObject({ days: expect.any(Number), flaggedPerDay: expect.any(Number) });

    const { models } = await jsonOf(centinelaHere, 'models', '--registry', registry);
    expect(models).toMatchObject([{ id: 'first@1', detectors: trained.detectors, metrics: trained.metrics }]);

    const decisions = folder.path('decisions.csv');
    const scored = await jsonOf(
      centinela,
      'score',
      FILE,
      '--registry',
      registry,
      '--model',
      'first',
      '--out',
      decisions,
    );
    expect(scored.rows).toBe(simulated.rows);
    expect(scored.rowsPerSecond).toBeGreaterThan(0);
    const [, ...rows] = linesOf(decisions);
    expect(rows).toHaveLength(scored.rows);
    expect(rows.filter((row) => row.split(',')[3] !== 'approve')).toHaveLength(scored.flagged);
    expect(rows.some((row) => /,first@1,[a-z0-9-]+@\d+(\|[a-z0-9-]+@\d+)*,0?\.?\d/.test(row))).toBe(true);

    const unknown = folder.path('unknown.csv');
    const failed = await centinelaHere('score', FILE, '--registry', registry, '--model', 'nobody', '--out', unknown);
    expect(failed).toEqual({
      exitCode: 1,
      out: '',
      errors: "centinela: there is no model 'nobody'; there are first@1\n",
    });
    expect(existsSync(unknown)).toBe(false);
  });

  it('learn on while they decide, where a detector does and when asked to', async () => {
    const argv = ['--registry', registry, '--name', 'stream', '--detectors', 'half-space-trees', '--features', 'cards'];
    await jsonOf(centinelaHere, 'train', FILE, ...argv);
    const score = (model: string, out: string, ...more: string[]) =>
      centinelaHere('score', FILE, '--registry', registry, '--model', model, '--out', folder.path(out), ...more);
    expect((await score('stream', 'alone.csv')).exitCode).toBe(0);
    expect((await score('stream', 'learned.csv', '--learn')).exitCode).toBe(0);
    const [alone, learned] = ['alone.csv', 'learned.csv'].map((out) => linesOf(folder.path(out)));
    expect(learned.slice(0, 250)).toEqual(alone.slice(0, 250));
    expect(learned).not.toEqual(alone);

    const refused = await score('first', 'refused.csv', '--learn');
    expect(refused.exitCode).toBe(2);
    expect(refused.errors).toMatch(/--learn: no detector of first@1 learns online; .*half-space-trees/);
  });
});

it('features writes one line a row, ids first', async () => {
  const out = folder.path('features.csv');
  const { rows, features, rowsPerSecond } = await jsonOf(centinelaHere, 'features', FILE, '--out', out);
  const lines = linesOf(out);
  expect(rows).toBe(simulated.rows);
  expect(lines).toHaveLength(rows + 1);
  expect(lines[0].split(',')[0]).toBe('id');
  expect(lines[0].split(',')).toHaveLength(features + 2);
  expect(rowsPerSecond).toBeGreaterThan(0);
});

describe('evaluate', () => {
  it('--protocol time-split prints the figures of each detector', async () => {
    const { models, ...others } = await jsonOf(
      centinelaHere,
      ...['evaluate', FILE, '--protocol', 'time-split', '--train-fraction', '0.6', '--detectors', 'isolation-forest'],
    );
    expect(others).toEqual({});
    expect(models).toHaveLength(1);
    expect(Object.keys(models[0]).sort()).toEqual([
      ...['aucRoc', 'aucRocStd', 'averagePrecision', 'averagePrecisionStd', 'cardPrecision100', 'cardPrecision100Std'],
      ...['expectedCalibrationError', 'fitSeconds', 'name', 'scoreRowsPerSecond'],
    ]);
    expect(models[0].aucRoc).toBeGreaterThan(0.5);
  });

  it('--protocol adbench measures every set of a folder, beside published figures', async () => {
    const sets = temporaryFolder();
    const rows = Array.from({ length: 400 }, (_, row) => [
      ...(row % 20 === 0 ? [5 + (row % 3), -4] : [(row * 7) % 13, (row % 11) / 10]),
      Number(row % 20 === 0),
    ]);
    for (const name of ['one', 'two']) {
      writeFileSync(sets.path(`${name}.csv.gz`), gzipSync(['x0,x1,y', ...rows].join('\n')));
    }
    writeFileSync(sets.path('published_aucroc.csv'), 'dataset,PCA,IForest\none,75.00,91.00\ntwo,99.00,93.00\n');
    const argv = ['evaluate', sets.path(), '--protocol', 'adbench'];
    const { datasets, mean } = await jsonOf(centinelaHere, ...argv);
    const text = await centinelaHere(...argv, '--detectors', 'gbdt,isolation-forest');
    sets.remove();
    expect(datasets.map(({ name }: { name: string }) => name)).toEqual(['one', 'two']);
    expect(datasets[0].models[0]).toEqual(mean[0]);
    expect(Object.keys(mean[0])).toEqual(['name', 'aucRoc', 'averagePrecision']);
    expect(mean[0].aucRoc).toBeGreaterThan(0.9);
    expect(text.errors).toContain('left out, because ADBench hides the labels from detectors: gbdt');
    expect(text.out).toMatch(/^one +\d\.\d{3} \(\d\.\d{3}\) +0\.910 +0\.910 IForest$/m);
    expect(text.out).toMatch(/^mean +\d\.\d{3} \(\d\.\d{3}\) +0\.920$/m);
  });
});
