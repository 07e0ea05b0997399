"""Checks that every operation of the sandbox's AWS services must pass, with the arguments of calls that succeeded."""

import copy
import itertools
import re

from sandbox import ROOT, check, fail
from service_model import refused

SOURCES = ROOT / "sandbox" / "src" / "aws"

# The management account cannot have an account instance, and all features of the example organization are enabled.
NEVER_SUCCEED = {("sso-admin", "CreateInstance"), ("organizations", "EnableAllFeatures")}

# Member accounts may call them: "This operation can be called from any account in the organization" and "the organization and
# account instances […] that were created in or visible to the account calling this API" (API references).
FOR_EVERY_ACCOUNT = {("organizations", "DescribeOrganization"), ("sso-admin", "ListInstances")}

# Calls without arguments.
SIMPLE_CALLS = {"sso-admin": "ListInstances", "organizations": "DescribeOrganization", "identitystore": "ListIdentityStores"}

VALIDATION_ERRORS = {
    "sso-admin": "ValidationException",
    "identitystore": "ValidationException",
    "organizations": "InvalidInputException",
    "sso": "InvalidRequestException",
    "sso-oidc": "InvalidRequestException",
}


def served_operations():
    """Returns the operations in the dispatch tables of the sandbox."""
    found = set()
    for service, file in [("sso-admin", "sso_admin"), ("organizations", "organizations"), ("identitystore", "identity_store")]:
        table = (SOURCES / f"{file}.rs").read_text().partition("operations: &[")[2].partition("\n    ],")[0]
        found |= {(service, name) for name in re.findall(r'\(\s*"(\w+)",', table)}
    for service, file in [("sso", "portal"), ("sso-oidc", "oidc")]:
        found |= {(service, name) for name in re.findall(r'=> Some\("(\w+)"\)', (SOURCES / f"{file}.rs").read_text())}
    found |= {("sts", name) for name in re.findall(r'action != "(\w+)"', (SOURCES / "sts.rs").read_text())}
    return found


def check_callers(estate, member):
    """Checks that every operation refuses the administrator of a member account, and that each service checks signatures."""
    calls = {**estate.services.succeeded}
    clients = {name: estate.services.client(name, member) for name in SIMPLE_CALLS}
    for service, operation in sorted(served_operations()):
        if service in clients and (service, operation) not in FOR_EVERY_ACCOUNT | NEVER_SUCCEED:
            expect_error(f"{service}.{operation} refuses a member account", "AccessDeniedException",
                         clients[service], operation, calls[(service, operation)])
    aws = estate.services.aws
    keys = {
        "another key": {"aws_access_key_id": "AKIAIOSFODNN7OTHER00", "aws_secret_access_key": aws["secret_access_key"]},
        "another secret": {"aws_access_key_id": aws["access_key_id"], "aws_secret_access_key": "other"},
    }
    codes = {"another key": "UnrecognizedClientException", "another secret": "InvalidSignatureException"}
    for (what, key), service in itertools.product(keys.items(), SIMPLE_CALLS):
        expect_error(f"{service} refuses {what}", codes[what], estate.services.client(service, key), SIMPLE_CALLS[service], {})
    for what, code in [("another key", "InvalidClientTokenId"), ("another secret", "SignatureDoesNotMatch")]:
        expect_error(f"sts refuses {what}", code, estate.services.client("sts", keys[what]), "GetCallerIdentity", {})


def method(client, operation):
    """Returns boto3's name of an operation."""
    return next(name for name, found in client.meta.method_to_api_mapping.items() if found == operation)


def expect_error(what, code, client, operation, arguments):
    refused(what, code, getattr(client, method(client, operation)), **arguments)


def check_requests(estate):
    """Checks that every operation refuses requests that its model does not allow.

    In a request that succeeded, each required member is left out, each string exceeds its maximum length, each enum gets an
    unknown value, and each list that needs an item is empty. A list operation gets a page size out of range and an unknown token.
    """
    clients = {name: estate.services.client(name, parameter_validation=False) for name in VALIDATION_ERRORS}
    for (service, operation), arguments in sorted(estate.services.succeeded.items()):
        if service not in clients:
            continue
        shape = clients[service].meta.service_model.operation_model(operation).input_shape
        for what, request in wrong_requests(shape, arguments) if shape else ():
            # The token of the access portal is a header, not a member of the request.
            code = "UnauthorizedException" if what == "a request without accessToken" else VALIDATION_ERRORS[service]
            expect_error(f"{service}.{operation} refuses {what}", code, clients[service], operation, request)


def wrong_requests(shape, arguments):
    """Yields requests that the model does not allow, and the reason."""
    def changed(value=None):
        request = copy.deepcopy(arguments)
        inner = request
        for name in places[:-1]:
            inner = inner[name]
        if value is None:
            del inner[places[-1]]
        else:
            inner[places[-1]] = value
        return request

    for places, inner, required in members(shape, arguments):
        at = ".".join(map(str, places))
        if required:
            yield f"a request without {at}", changed()
        if inner.type_name == "string" and inner.metadata.get("max", 1 << 20) < 1 << 16 and not inner.enum:
            yield f"a {at} that is too long", changed("x" * (inner.metadata["max"] + 1))
        if inner.type_name == "string" and inner.enum:
            yield f"an unknown {at}", changed("UNKNOWN")
        if inner.type_name == "list" and inner.metadata.get("min", 0) > 0:
            yield f"an empty {at}", changed([])
    for name in {"MaxResults", "maxResults"} & set(shape.members):
        yield f"{name} 0", {**arguments, name: 0}
        yield f"{name} above the maximum", {**arguments, name: 10_000}
    for name in {"NextToken", "nextToken"} & set(shape.members):
        yield "an unknown token", {**arguments, name: "unknown"}


def members(shape, value, path=()):
    """Yields the place and the shape of each member of a request, and whether it is required."""
    for name, inner in shape.members.items():
        if name not in value:
            continue
        place = (*path, name)
        yield place, inner, name in shape.required_members
        if inner.type_name == "structure" and not getattr(inner, "is_document_type", False):
            yield from members(inner, value[name], place)
        if inner.type_name == "list" and inner.member.type_name == "structure":
            for index, item in enumerate(value[name]):
                yield from members(inner.member, item, (*place, index))


def check_pages(estate):
    """Checks that every list returns the same items with one item on a page."""
    for (service, operation), arguments in sorted(estate.services.succeeded.items()):
        client = estate.clients[service]
        model = client.meta.service_model.operation_model(operation)
        paging = {"MaxResults", "maxResults"} & set(model.input_shape.members if model.input_shape else ())
        if not paging:
            continue
        call = getattr(client, method(client, operation))
        arguments = {name: value for name, value in arguments.items() if name not in {"NextToken", "nextToken", *paging}}
        [key] = [name for name, shape in model.output_shape.members.items() if shape.type_name == "list"]
        token = ({"NextToken", "nextToken"} & set(model.input_shape.members)).pop()

        def read(**size):
            found, page = [], call(**arguments, **size)
            found += page[key]
            while page.get(token):
                page = call(**arguments, **size, **{token: page[token]})
                if size and len(page[key]) > 1:
                    fail(f"{service}.{operation}: a page has {len(page[key])} items, expected at most 1")
                found += page[key]
            return found

        check(f"{service}.{operation} with one item on a page", read(**{paging.pop(): 1}), read())


def check_throttling(estate):
    """Checks the error of each service for a throttled call, and that boto3 retries it.

    The model of sign-in on a device (`sso-oidc`) declares no such error.
    """
    for service, operation, code in [
        ("sso-admin", "ListInstances", "ThrottlingException"),
        ("identitystore", "ListIdentityStores", "ThrottlingException"),
        ("organizations", "ListRoots", "TooManyRequestsException"),
        ("sso", "ListAccounts", "TooManyRequestsException"),
        ("sts", "GetCallerIdentity", "Throttling"),
    ]:
        estate.console("faults", service="aws", kind="throttle", on=operation)
        arguments = estate.services.succeeded[(service, operation)]
        expect_error(f"{service}.{operation} while calls are throttled", code, estate.clients[service], operation, arguments)
        estate.console("faults", service="aws", kind="throttle", on=operation)
        client = estate.services.client(service, retries={"mode": "standard", "total_max_attempts": 2})
        answer = getattr(client, method(client, operation))(**arguments)
        check(f"{service}.{operation} is retried after throttling", answer["ResponseMetadata"]["RetryAttempts"], 1)


def check_coverage(estate):
    served, services = served_operations(), estate.services
    check("every called operation is in a dispatch table of the sandbox", {*services.succeeded, *services.errors} - served, set())
    check("every served operation succeeds, except for those in NEVER_SUCCEED", served - set(services.succeeded), NEVER_SUCCEED)
    check("every served operation returns an error", served - set(services.errors), set())
    called = served & {*services.succeeded, *services.errors}
    print(f"called {len(called)} of the {len(served)} operations that the sandbox serves")
