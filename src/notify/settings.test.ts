import { describe, expect, it } from 'vitest';
import { EXAMPLE_SETTINGS } from '../../test/notify/settings-example.ts';
import { NO_NOTIFICATIONS, type NotificationSettings, readNotificationSettings } from './settings.ts';

const changed = (change: (settings: NotificationSettings) => void): unknown => {
  const copy = structuredClone(EXAMPLE_SETTINGS) as NotificationSettings;
  change(copy);
  return copy;
};
type Loose = Record<string, unknown>;
const put = (object: object, field: string, value: unknown) => void Object.assign(object, { [field]: value });
const channel = (settings: NotificationSettings, name: string) => settings.channels[name] as unknown as Loose;

describe('settings of notifications', () => {
  it('are read as they are where they fit together', () => {
    expect(readNotificationSettings(EXAMPLE_SETTINGS)).toEqual(EXAMPLE_SETTINGS);
    expect(readNotificationSettings(NO_NOTIFICATIONS)).toEqual(NO_NOTIFICATIONS);
  });

  it('say what does not fit: unknown channels, circles, a last route that lets something through', () => {
    const cases: [RegExp, (settings: NotificationSettings) => void][] = [
      [/leads to fax, which is no channel/, (s) => s.routes[0].channels.push('fax')],
      [/Ladder fraud leads to fax/, (s) => s.ladders[0].levels[0].channels.push('fax')],
      [/falls back to fax/, (s) => put(channel(s, 'chat'), 'fallback', 'fax')],
      [/falls back to itself/, (s) => put(channel(s, 'chat'), 'fallback', 'mail')],
      [/names the ladder nobody/, (s) => put(s.routes[0], 'ladder', 'nobody')],
      [/does not take everything/, (s) => void s.routes.pop()],
      [/given twice/, (s) => put(s.routes[0], 'name', 'all')],
      [/quiet hours begin when they end/, (s) => put(channel(s, 'mail').quietHours as Loose, 'to', '22:00')],
      [/user or a password alone/, (s) => put(channel(s, 'mail'), 'user', null)],
    ];
    for (const [message, change] of cases) expect(() => readNotificationSettings(changed(change))).toThrow(message);
  });

  it('are refused where a field is not what it should be', () => {
    const cases: ((settings: NotificationSettings) => void)[] = [
      (s) => put(channel(s, 'bank'), 'url', 'ftp://x'),
      (s) => put(channel(s, 'bank'), 'url', 'https://user:password@hooks.example'),
      (s) => put(channel(s, 'bank'), 'secrets', []),
      (s) => put(channel(s, 'mail'), 'to', ['a@b.example\r\nBcc: c@d.example']),
      (s) => put(channel(s, 'mail'), 'extra', 1),
      (s) => put(channel(s, 'mail'), 'rate', { most: 0, perMs: 1000 }),
      (s) => put(channel(s, 'mail').quietHours as Loose, 'from', '24:00'),
      (s) => put(s as unknown as Loose, 'allowedNetworks', ['everything']),
    ];
    for (const change of cases) {
      expect(() => readNotificationSettings(changed(change))).toThrow('The settings of notifications');
    }
    expect(() => readNotificationSettings(null)).toThrow('settings');
  });
});
