// Channels as settings say, from the adapters: what the service does when it starts.
import { openAlertmanagerChannel } from '../../adapters/alertmanager/alertmanager-channel.ts';
import { openChatChannel } from '../../adapters/chat/chat-channel.ts';
import { openMailChannel } from '../../adapters/smtp/mail-channel.ts';
import { outcomeOf } from '../../adapters/webhook/delivery-outcome.ts';
import { createGuardedPost } from '../../adapters/webhook/guarded-post.ts';
import { createNetworkGuard } from '../../adapters/webhook/network-guard.ts';
import type { Channel } from '../../notify/message.ts';
import type { ChannelSettings, NotificationSettings } from '../../notify/settings.ts';
import { openWebhookChannel } from '../../notify/webhook-channel.ts';

/** @param secret the text of a secret by its name @param authorities PEM, or null for the system's */
export function openChannels(
  { channels, allowedNetworks }: NotificationSettings,
  secret: (name: string) => string,
  authorities: string | null,
): Map<string, Channel> {
  const post = createGuardedPost({ guard: createNetworkGuard(allowedNetworks), authorities });
  const open = (settings: ChannelSettings): Channel => {
    const { timeoutMs } = settings;
    switch (settings.kind) {
      case 'webhook': {
        const secrets = settings.secrets.map((name) => new TextEncoder().encode(secret(name)));
        const { url } = settings;
        return openWebhookChannel({ url, secrets, timeoutMs, send: async (request) => outcomeOf(await post(request)) });
      }
      case 'mail': {
        const { host, port, security, user, password, from, to } = settings;
        const login = user === null || password === null ? null : { user, password: secret(password) };
        return openMailChannel({ host, port, security, login, from, to, timeoutMs, authorities });
      }
      case 'slack':
      case 'teams':
        return openChatChannel({ kind: settings.kind, url: secret(settings.url), timeoutMs, post });
      case 'alertmanager': {
        const { url, token, resolveAfterMs } = settings;
        const bearer = token === null ? null : secret(token);
        return openAlertmanagerChannel({ url, token: bearer, resolveAfterMs, timeoutMs, post });
      }
    }
  };
  return new Map(Object.entries(channels).map(([name, settings]) => [name, open(settings)]));
}
