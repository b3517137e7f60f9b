"""What Schemathesis cannot know by itself of the service: JSON by lines, given and answered (SCHEMATHESIS_HOOKS)."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines_of(ctx, value):
    return b"\n".join(json.dumps(each).encode() for each in [value, value])


@schemathesis.deserializer("application/x-ndjson")
def first_line(ctx, response):
    return json.loads(response.content.split(b"\n", 1)[0])
