"""Helpers for programs with Okta's Python SDK."""

import sys


async def all_items(call, *arguments, **options):
    """Returns the items of all pages of a list, read in the way that users of the SDK read them."""
    items, response, error = await call(*arguments, **options)
    found = []
    while True:
        if error is not None:
            sys.exit(f"FAILED {call.__name__}: {error}")
        found += items
        link = (response.headers or {}).get("link") or (response.headers or {}).get("Link") or ""
        following = [part for part in link.split(",") if 'rel="next"' in part]
        if not following:
            return found
        after = following[0].split("after=")[1].split(">")[0].split("&")[0]
        items, response, error = await call(*arguments, **{**options, "after": after})


def profile_of(group):
    """Returns the profile of a group. In the SDK's model, it is a union of several kinds."""
    return getattr(group.profile, "actual_instance", None) or group.profile
