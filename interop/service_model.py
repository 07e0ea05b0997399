"""Checks responses of the sandbox against the service models of botocore.

botocore ignores members that its model does not have, and it does not check lengths, patterns and enums. Therefore, the
checks read the body of each response.
"""

import collections
import copy
import json
import xml.etree.ElementTree

import boto3
import botocore.config
import botocore.exceptions
import regex

from sandbox import check, fail

# Errors that AWS documents as common to all operations of a service, so that no operation declares them ("Common errors" of
# the API references). A service with the JSON protocol and one with the query protocol spell them differently.
COMMON_ERRORS = {
    "AccessDeniedException", "ExpiredTokenException", "IncompleteSignatureException", "InvalidSignatureException",
    "MissingAuthenticationTokenException", "SerializationException", "ThrottlingException", "UnrecognizedClientException",
    "ValidationException", "ExpiredToken", "IncompleteSignature", "InvalidClientTokenId", "MissingAuthenticationToken",
    "SignatureDoesNotMatch", "Throttling",
}

# `ForbiddenException` is the error of the access portal for a role that the user does not have; no model contains it. The AWS CLI
# prints "An error occurred (ForbiddenException) when calling the GetRoleCredentials operation: No access".
ERRORS_WITHOUT_MODEL = {("sso", "ListAccountRoles", "ForbiddenException"), ("sso", "GetRoleCredentials", "ForbiddenException")}

# "For Length Constraints, if a valid ARN is provided for a permission set, it is possible for an empty inline policy to be
# returned" (API reference, `GetInlinePolicyForPermissionSet`).
MAY_BE_EMPTY = {("GetInlinePolicyForPermissionSetResponse", "InlinePolicy")}

NUMBERS = {"integer": int, "long": int, "float": (int, float), "double": (int, float), "timestamp": (int, float)}


class Services:
    """Creates boto3 clients whose responses are checked, and records the calls."""

    def __init__(self, aws, before_call=lambda service: None):
        self.aws = aws
        # One session, so that each model is loaded once.
        self.session = boto3.Session(region_name=aws["region"])
        self.before_call = before_call
        # For each operation, the arguments of its last call that succeeded.
        self.succeeded = {}
        # For each operation, the errors that it returned.
        self.errors = collections.defaultdict(set)

    def client(self, service, credentials=None, **settings):
        """Returns a client with the sandbox's access key or with other credentials."""
        credentials = credentials or {
            "aws_access_key_id": self.aws["access_key_id"],
            "aws_secret_access_key": self.aws["secret_access_key"],
        }
        config = botocore.config.Config(**{"retries": {"total_max_attempts": 1}, **settings})
        client = self.session.client(service, endpoint_url=self.aws["endpoint_url"], config=config, **credentials)
        client.meta.events.register("before-parameter-build", self._before)
        client.meta.events.register("after-call", self._after)
        return client

    def _before(self, params, model, context, **_):
        # The arguments contain no streams.
        context["arguments"] = copy.deepcopy(params)
        self.before_call(model.service_model.service_name)

    def _after(self, http_response, parsed, model, context, **_):
        service = model.service_model.service_name
        key = (service, model.name)
        if "Error" in parsed:
            self.errors[key].add(parsed["Error"]["Code"])
        else:
            self.succeeded[key] = context["arguments"]
        for problem in response_problems(service, model, http_response, parsed):
            fail(f"{service}.{model.name}: {problem}: {http_response.status_code} {http_response.text}")


def refused(what, code, call, **arguments):
    """Checks that a call returns an error, and returns the error."""
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        check(what, error.response["Error"]["Code"], code)
        return error.response
    fail(f"{what}: the call succeeded, expected {code}")


def response_problems(service, model, http_response, parsed):
    """Returns what the model of an operation does not allow in a response."""
    if "Error" not in parsed:
        return output_problems(model, http_response.content)
    code = parsed["Error"]["Code"]
    shape = next((shape for shape in model.error_shapes if code in (shape.name, shape.error_code)), None)
    if shape is None:
        known = code in COMMON_ERRORS or (service, model.name, code) in ERRORS_WITHOUT_MODEL
        return [] if known else [f"the operation does not declare the error {code}"]
    problems = []
    protocol = model.service_model.metadata["protocol"]
    expected = 400 if protocol == "json" else shape.metadata.get("error", {}).get("httpStatusCode", 400)
    if http_response.status_code != expected:
        problems.append(f"the status is not {expected}")
    if protocol != "query":
        body = json.loads(http_response.content)
        body.pop("__type", None)
        problems += value_problems(shape, body, code)
    return problems


def output_problems(model, body):
    shape = model.output_shape
    if model.service_model.metadata["protocol"] == "query":
        return xml_problems(shape, xml.etree.ElementTree.fromstring(body))
    if shape is None or not shape.members:
        return [] if body in (b"", b"{}") else ["the operation returns no members"]
    return value_problems(shape, json.loads(body), "response")


def xml_problems(shape, root):
    """Returns the problems of a response with the query protocol; the model of `GetCallerIdentity` contains only strings."""
    namespace = root.tag.partition("}")[0] + "}"
    result = root.find(f"{namespace}{shape.serialization['resultWrapper']}")
    members = {element.tag.removeprefix(namespace): element.text or "" for element in result}
    return value_problems(shape, members, "response")


def value_problems(shape, value, at):
    """Returns what a shape does not allow in a JSON value."""
    kind = shape.type_name
    if kind == "structure":
        return structure_problems(shape, value, at)
    if kind == "list":
        if not isinstance(value, list):
            return [f"{at} is not a list"]
        items = (value_problems(shape.member, item, f"{at}[{index}]") for index, item in enumerate(value))
        return length_problems(shape, value, at) + [problem for item in items for problem in item]
    if kind == "map":
        if not isinstance(value, dict):
            return [f"{at} is not a map"]
        entries = (
            value_problems(shape.key, key, f"{at} key {key}") + value_problems(shape.value, item, f"{at}.{key}")
            for key, item in value.items()
        )
        return length_problems(shape, value, at) + [problem for entry in entries for problem in entry]
    if kind == "string":
        return string_problems(shape, value, at)
    if kind == "boolean":
        return [] if isinstance(value, bool) else [f"{at} is not a Boolean"]
    if kind in NUMBERS:
        return [] if isinstance(value, NUMBERS[kind]) and not isinstance(value, bool) else [f"{at} is not a number ({kind})"]
    return [f"{at} has the type {kind}, which the checks do not know"]


def structure_problems(shape, value, at):
    if getattr(shape, "is_document_type", False):
        return []
    if not isinstance(value, dict):
        return [f"{at} is not a structure"]
    names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
    problems = [f"{at} has the unknown member {name}" for name in value if name not in names]
    # `null` is a missing member.
    present = {names[name]: item for name, item in value.items() if name in names and item is not None}
    problems += [f"{at} has no {name}" for name in shape.required_members if name not in present]
    if getattr(shape, "is_tagged_union", False) and len(present) != 1:
        problems.append(f"{at} is a union with {len(present)} members")
    for name, item in present.items():
        if item == "" and (shape.name, name) in MAY_BE_EMPTY:
            continue
        problems += value_problems(shape.members[name], item, f"{at}.{name}")
    return problems


def string_problems(shape, value, at):
    if not isinstance(value, str):
        return [f"{at} is not a string"]
    problems = length_problems(shape, value, at)
    if shape.enum and value not in shape.enum:
        problems.append(f"{at} is {value!r}, which is not in {shape.enum}")
    pattern = shape.metadata.get("pattern")
    # AWS matches the whole text, also for a pattern without anchors.
    if pattern and not regex.fullmatch(pattern, value):
        problems.append(f"{at} is {value!r}, which does not match {pattern}")
    return problems


def length_problems(shape, value, at):
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
    if len(value) < least or (most is not None and len(value) > most):
        return [f"{at} has the length {len(value)}, not {least} to {most}"]
    return []
