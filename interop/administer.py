"""Administers an org with Okta's Python SDK.

`write PREFIX COUNT` makes users in every state, groups, a rule and an app with assignments, all named after the prefix.
`inventory PREFIX…` prints them, as this client reads them: one line of JSON for each prefix. The connection is in the environment, in the SDK's variables.
"""

import asyncio
import json
import os
import sys
from datetime import datetime, timedelta, timezone

os.environ["OKTA_TESTING_TESTINGDISABLEHTTPSCHECK"] = "true"

from okta import models  # noqa: E402
from okta.client import Client  # noqa: E402

from okta_sdk import all_items, profile_of  # noqa: E402


async def done(call):
    """Returns the result of a call, which is the first element of what the SDK returns."""
    found = await call
    error = found[-1]
    if error is not None:
        sys.exit(f"{call.__name__}: {error}")
    return found[0] if len(found) > 1 else None


def text(value):
    return str(getattr(value, "value", value))


async def write(okta, prefix, count):
    async def create_user(name, activate):
        login = f"{prefix}-{name}@example.com"
        profile = {"login": login, "email": login, "firstName": prefix, "lastName": name, "department": prefix}
        # Without a password, an activated user is `PROVISIONED`.
        body = {"profile": profile, "credentials": {"password": {"value": "Correct-horse-7-battery"}}}
        return await done(okta.create_user(models.CreateUserRequest.from_dict(body), activate=activate))

    active = [await create_user(f"{number:04}", True) for number in range(count)]
    await create_user("staged", False)
    suspended = await create_user("suspended", False)
    await done(okta.activate_user(suspended.id, send_email=False))
    await done(okta.suspend_user(suspended.id))
    returned = await create_user("returned", True)
    await done(okta.suspend_user(returned.id))
    await done(okta.unsuspend_user(returned.id))
    renamed = await create_user("renamed", True)
    await done(okta.update_user(renamed.id, models.UpdateUserRequest.from_dict({"profile": {"lastName": "Renamed"}})))
    deactivated = await create_user("deactivated", True)
    await done(okta.deactivate_user(deactivated.id))
    deleted = await create_user("deleted", True)
    await done(okta.deactivate_user(deleted.id))
    await done(okta.delete_user(deleted.id))

    async def create_group(name):
        return await done(okta.add_group(models.AddGroupRequest.from_dict({"profile": {"name": name, "description": "A team"}})))

    team = await create_group(f"{prefix}-old")
    new = models.AddGroupRequest.from_dict({"profile": {"name": f"{prefix}-team", "description": "A team"}})
    await done(okta.replace_group(team.id, new))
    for user in active[:3]:
        await done(okta.assign_user_to_group(team.id, user.id))
    ruled = await create_group(f"{prefix}-ruled")
    expression = f'user.lastName=="Renamed" && user.department=="{prefix}"'
    rule = await done(okta.create_group_rule(models.CreateGroupRuleRequest.from_dict({
        "type": "group_rule",
        "name": f"{prefix}-rule",
        "conditions": {"expression": {"type": "urn:okta:expression:1.0", "value": expression}},
        "actions": {"assignUserToGroups": {"groupIds": [ruled.id]}},
    })))
    await done(okta.activate_group_rule(rule.id))

    app = await done(okta.create_application(models.BookmarkApplication.from_dict({
        "name": "bookmark",
        "label": f"{prefix}-app",
        "signOnMode": "BOOKMARK",
        "settings": {"app": {"requestIntegration": False, "url": "https://example.com"}},
    })))
    await done(okta.assign_user_to_application(app.id, models.AppUserAssignRequest.from_dict({"id": renamed.id})))
    await done(okta.assign_group_to_application(app.id, team.id, models.ApplicationGroupAssignment.from_dict({})))


async def list_events(okta):
    until = (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return await all_items(okta.list_log_events, until=until, filter='eventType sw "user.lifecycle."', limit=1000)


async def inventory(okta, prefix, events):
    found = {"users": {}, "groups": {}, "rules": {}, "apps": {}, "events": {}}
    logins = {}
    for user in await all_items(okta.list_users, search=f'profile.department eq "{prefix}"', limit=200):
        found["users"][user.profile.login] = [text(user.status), user.profile.last_name]
        logins[user.id] = user.profile.login
    names = {}
    for group in await all_items(okta.list_groups, q=prefix):
        names[group.id] = profile_of(group).name
        members = await all_items(okta.list_group_users, group.id, limit=200)
        found["groups"][names[group.id]] = sorted(user.profile.login for user in members)
    for rule in await all_items(okta.list_group_rules, limit=50):
        if rule.name.startswith(prefix):
            groups = [names[group] for group in rule.actions.assign_user_to_groups.group_ids]
            found["rules"][rule.name] = [text(rule.status), rule.conditions.expression.value, groups]
    for app in await all_items(okta.list_applications, q=prefix):
        users = await all_items(okta.list_application_users, app.id, limit=200)
        groups = await all_items(okta.list_application_group_assignments, app.id)
        found["apps"][app.label] = {
            "name": text(app.name),
            "users": {logins[user.id]: text(user.scope) for user in users},
            "groups": [names[group.id] for group in groups],
        }
    for event in events:
        if any(target.id in logins for target in event.target or []):
            found["events"][event.event_type] = found["events"].get(event.event_type, 0) + 1
    return found


async def main(command, *arguments):
    okta = Client({"requestTimeout": 10, "cache": {"enabled": False}, "logging": {"enabled": False}})
    if command == "write":
        prefix, count = arguments
        await write(okta, prefix, int(count))
    else:
        events = await list_events(okta)
        for prefix in arguments:
            print(json.dumps(await inventory(okta, prefix, events)))


asyncio.run(main(*sys.argv[1:]))
