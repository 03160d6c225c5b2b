// What the scripts share: each sends, with one unmodified client, what PLAN says, and prints one line of JSON at the end.
export const endpoint = required('ENDPOINT'); // https for browsers, http for servers
export const writeKey = required('WRITE_KEY');
export const userId = required('USER_ID');
export const email = required('EMAIL');

export function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(name + ' is not set');
  return value;
}

export function done(result) {
  process.stdout.write(JSON.stringify(result) + '\n');
}

// The same calls by every server library: each type once, two tracks.
export function everyType(client, { anonymousId }) {
  const context = { locale: 'de-DE', timezone: 'Europe/Berlin', campaign: { source: 'news', name: 'spring' } };
  client.identify({ userId, traits: { email, plan: 'trial' }, context });
  client.track({ userId, event: 'Project Created', properties: { kind: 'demo', seats: 3 }, context });
  client.page({ userId, name: 'Pricing', properties: { url: 'https://shop.test/pricing' }, context });
  client.screen({ userId, name: 'Inbox', context });
  client.group({ userId, groupId: 'acme-' + userId, traits: { name: 'Acme', employees: 42 }, context });
  client.track({ anonymousId, event: 'Seen Before', context });
  client.alias({ previousId: anonymousId, userId, context });
}
