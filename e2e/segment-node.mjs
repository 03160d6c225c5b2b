// @segment/analytics-node: host is the only option that changes.
import { Analytics } from '@segment/analytics-node';
import { done, email, endpoint, everyType, userId, writeKey } from './lib.mjs';

const client = new Analytics({ writeKey, host: endpoint });
const failed = [];
client.on('error', (error) => failed.push(error.code || String(error)));
everyType(client, { anonymousId: 'anon-' + userId });
await client.closeAndFlush({ timeout: 60_000 });
done({ failed, email });
