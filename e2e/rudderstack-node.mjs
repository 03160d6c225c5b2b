// @rudderstack/rudder-sdk-node: dataPlaneUrl is the only option that changes. Without an errorHandler a refusal that it
// gives up on ends the process: then this script ends with it, and the test sees the exit code.
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { done, endpoint, everyType, userId, writeKey } from './lib.mjs';

const handler = process.env.ERROR_HANDLER ? { errorHandler: (error) => failed.push(String(error?.response?.status ?? error)) } : {};
const failed = [];
const client = new RudderAnalytics(writeKey, { dataPlaneUrl: endpoint, flushAt: 20, ...handler });
everyType(client, { anonymousId: 'anon-' + userId });
await client.flush(); // waits for the first message, which goes out by itself, and sends the rest
done({ failed });
