// What docs/notifications.md tells receivers is run: settings are read, and the three programs verify real signatures.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readNotificationSettings } from '../../src/notify/settings.ts';
import { signWebhook } from '../../src/notify/webhook-signature.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/notifications.md'), 'utf8');
const has = (program: string, ...args: string[]) => spawnSync(program, args).status === 0;
const bytes = (text: string) => new TextEncoder().encode(text);
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'centinela-documentation-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function block(language: string): string {
  const found = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1];
  if (found === undefined) throw new Error(`no ${language} in docs/notifications.md`);
  return found;
}

const SECRET = 'a secret of at least 32 bytes ...';
const OTHER = 'another secret of 32 bytes ......';
const BODY = '{"id":"m-1","title":"operación de S/ 1,500.00"}';
const NOW_S = 1_764_172_800;
const signed = (...secrets: string[]) => signWebhook(bytes(BODY), secrets.map(bytes), NOW_S * 1000);
/** Header, body, time, and whether it is to be believed. */
const CASES: readonly (readonly [string, string, number, boolean])[] = [
  [signed(SECRET), BODY, NOW_S, true],
  [signed(OTHER, SECRET), BODY, NOW_S + 299, true],
  [signed(SECRET), BODY.replace('1,500', '9,500'), NOW_S, false],
  [signed(OTHER), BODY, NOW_S, false],
  [signed(SECRET), BODY, NOW_S + 301, false],
  [signed(SECRET), BODY, NOW_S - 301, false],
  [signed(SECRET).replace('t=', 't=0'), BODY, NOW_S, false],
  ['t=x,v1=', BODY, NOW_S, false],
  [`v1=${'0'.repeat(64)}`, BODY, NOW_S, false],
];

function run(program: string, ...args: string[]): boolean[] {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd: folder });
  if (status !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().toLowerCase() === 'true');
}

describe('the page on notifications', () => {
  const expected = CASES.map(([, , , isValid]) => isValid);

  it('has settings that are read', () => {
    expect(Object.keys(readNotificationSettings(JSON.parse(block('json'))).channels)).toHaveLength(4);
  });

  it('has a program in Node that tells what is signed', () => {
    const calls = CASES.map(
      ([header, body, now]) =>
        `console.log(isFromCentinela(${JSON.stringify(header)}, Buffer.from(${JSON.stringify(body)}), ${JSON.stringify(SECRET)}, ${now}));`,
    );
    writeFileSync(join(folder, 'verify.mjs'), `${block('js')}\n${calls.join('\n')}\n`);
    expect(run(process.execPath, 'verify.mjs')).toEqual(expected);
  });

  it.runIf(has('python3', '--version'))('has a program in Python that tells what is signed', () => {
    const calls = CASES.map(
      ([header, body, now]) =>
        `print(is_from_centinela(${JSON.stringify(header)}, ${JSON.stringify(body)}.encode(), ${JSON.stringify(SECRET)}.encode(), ${now}))`,
    );
    writeFileSync(join(folder, 'verify.py'), `${block('python')}\n${calls.join('\n')}\n`);
    expect(run('python3', 'verify.py')).toEqual(expected);
  });

  it.runIf(has('java', '--version'))('has a program in Java that tells what is signed', () => {
    const calls = CASES.map(
      ([header, body, now]) =>
        `System.out.println(CentinelaSignature.isFromCentinela(${JSON.stringify(header)}, ${JSON.stringify(body)}.getBytes("UTF-8"), ${JSON.stringify(SECRET)}.getBytes("UTF-8"), ${now}L));`,
    );
    const imports = block('java')
      .split('\n')
      .filter((line) => line.startsWith('import'))
      .join('\n');
    const rest = block('java')
      .split('\n')
      .filter((line) => !line.startsWith('import'))
      .join('\n');
    const main = `class Main { public static void main(String[] a) throws Exception {\n${calls.join('\n')}\n} }`;
    writeFileSync(join(folder, 'Main.java'), `${imports}\n${main}\n${rest}\n`);
    expect(run('java', '-Dfile.encoding=UTF-8', 'Main.java')).toEqual(expected);
  });
});
