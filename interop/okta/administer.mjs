// Administers an org with Okta's Node SDK: `write PREFIX COUNT` or `inventory PREFIX…`, as in interop/administer.py.

import okta from "@okta/okta-sdk-nodejs";

const client = new okta.Client({
  orgUrl: process.env.OKTA_CLIENT_ORGURL,
  token: process.env.OKTA_CLIENT_TOKEN,
  testing: { disableHttpsCheck: true },
  cacheMiddleware: null,
});
const { userApi: users, groupApi: groups, applicationApi: apps, systemLogApi: logs } = client;

async function all(collection) {
  const items = [];
  await (await collection).each((item) => {
    items.push(item);
  });
  return items;
}

async function createUser(prefix, name, activate) {
  const login = `${prefix}-${name}@example.com`;
  const profile = { login, email: login, firstName: prefix, lastName: name, department: prefix };
  // Without a password, an activated user is `PROVISIONED`.
  const credentials = { password: { value: "Correct-horse-7-battery" } };
  return users.createUser({ body: { profile, credentials }, activate });
}

async function write(prefix, count) {
  const active = [];
  for (let number = 0; number < count; number++) {
    active.push(await createUser(prefix, String(number).padStart(4, "0"), true));
  }
  await createUser(prefix, "staged", false);
  const suspended = await createUser(prefix, "suspended", false);
  await users.activateUser({ userId: suspended.id, sendEmail: false });
  await users.suspendUser({ userId: suspended.id });
  const returned = await createUser(prefix, "returned", true);
  await users.suspendUser({ userId: returned.id });
  await users.unsuspendUser({ userId: returned.id });
  const renamed = await createUser(prefix, "renamed", true);
  await users.updateUser({ userId: renamed.id, user: { profile: { lastName: "Renamed" } } });
  const deactivated = await createUser(prefix, "deactivated", true);
  await users.deactivateUser({ userId: deactivated.id });
  const deleted = await createUser(prefix, "deleted", true);
  await users.deactivateUser({ userId: deleted.id });
  await users.deleteUser({ userId: deleted.id });

  const team = await groups.createGroup({ group: { profile: { name: `${prefix}-old`, description: "A team" } } });
  await groups.replaceGroup({ groupId: team.id, group: { profile: { name: `${prefix}-team`, description: "A team" } } });
  for (const user of active.slice(0, 3)) {
    await groups.assignUserToGroup({ groupId: team.id, userId: user.id });
  }
  const ruled = await groups.createGroup({ group: { profile: { name: `${prefix}-ruled` } } });
  const rule = await groups.createGroupRule({
    groupRule: {
      type: "group_rule",
      name: `${prefix}-rule`,
      conditions: { expression: { type: "urn:okta:expression:1.0", value: `user.lastName=="Renamed" && user.department=="${prefix}"` } },
      actions: { assignUserToGroups: { groupIds: [ruled.id] } },
    },
  });
  await groups.activateGroupRule({ ruleId: rule.id });

  const app = await apps.createApplication({
    application: {
      name: "bookmark",
      label: `${prefix}-app`,
      signOnMode: "BOOKMARK",
      settings: { app: { requestIntegration: false, url: "https://example.com" } },
    },
  });
  await apps.assignUserToApplication({ appId: app.id, appUser: { id: renamed.id } });
  await apps.assignGroupToApplication({ appId: app.id, groupId: team.id, applicationGroupAssignment: {} });
}

async function listEvents() {
  const until = new Date(Date.now() + 86400000).toISOString();
  return all(logs.listLogEvents({ until, filter: 'eventType sw "user.lifecycle."', limit: 1000 }));
}

async function inventory(prefix, events) {
  const found = { users: {}, groups: {}, rules: {}, apps: {}, events: {} };
  const logins = {};
  const search = `profile.department eq "${prefix}"`;
  for (const user of await all(users.listUsers({ search, limit: 200 }))) {
    found.users[user.profile.login] = [user.status, user.profile.lastName];
    logins[user.id] = user.profile.login;
  }
  const names = {};
  for (const group of await all(groups.listGroups({ q: prefix }))) {
    names[group.id] = group.profile.name;
    const members = await all(groups.listGroupUsers({ groupId: group.id, limit: 200 }));
    found.groups[group.profile.name] = members.map((user) => user.profile.login).sort();
  }
  for (const rule of await all(groups.listGroupRules({ limit: 50 }))) {
    if (rule.name.startsWith(prefix)) {
      found.rules[rule.name] = [rule.status, rule.conditions.expression.value, rule.actions.assignUserToGroups.groupIds.map((id) => names[id])];
    }
  }
  for (const app of await all(apps.listApplications({ q: prefix }))) {
    const assigned = await all(apps.listApplicationUsers({ appId: app.id, limit: 200 }));
    const teams = await all(apps.listApplicationGroupAssignments({ appId: app.id }));
    found.apps[app.label] = {
      name: app.name,
      users: Object.fromEntries(assigned.map((user) => [logins[user.id], user.scope])),
      groups: teams.map((group) => names[group.id]),
    };
  }
  for (const event of events) {
    const target = (event.target ?? []).find((target) => logins[target.id] !== undefined);
    if (target !== undefined) {
      found.events[event.eventType] = (found.events[event.eventType] ?? 0) + 1;
    }
  }
  return found;
}

const [command, ...args] = process.argv.slice(2);
if (command === "write") {
  const [prefix, count] = args;
  await write(prefix, Number(count));
} else {
  const events = await listEvents();
  for (const prefix of args) {
    console.log(JSON.stringify(await inventory(prefix, events)));
  }
}
