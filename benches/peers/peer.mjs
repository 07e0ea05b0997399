// Lists all users with Okta's Node SDK: prints CPU nanoseconds, peak memory in KiB, users and a checksum.

import { readFileSync } from "node:fs";
import okta from "@okta/okta-sdk-nodejs";

const [orgUrl, token] = process.argv.slice(2);
const client = new okta.Client({
  orgUrl,
  token,
  testing: { disableHttpsCheck: true },
  cacheMiddleware: null,
});
await client.userApi.getUser({ userId: "me" });
const start = process.cpuUsage();
let count = 0;
let letters = 0;
const users = await client.userApi.listUsers({ limit: 200 });
await users.each((user) => {
  count += 1;
  letters += user.profile.login.length;
});
const cpu = process.cpuUsage(start);
const peak = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "ascii"))[1];
console.log((cpu.user + cpu.system) * 1000, peak, count, letters);
