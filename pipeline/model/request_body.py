"""A question as it is put to an endpoint: with the parameters in its key, and as bytes of a request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.model.endpoint import Endpoint, Message
from pipeline.model.question import Asked, Question, compact


def asked_at(endpoint: Endpoint, question: Question) -> Asked:
    """The question as it is put to this endpoint."""
    parameters = endpoint.profile.parameters(question.max_tokens, question.logprobs)
    parameters["grammar"] = endpoint.grammar is not None
    words = question.form.in_words if endpoint.form_in_words else None
    if words is not None:
        *first, last = question.messages
        question = replace(question, messages=(*first, Message(last.role, f"{last.content}\n{words}")))
        parameters["form"] = "words"
    return Asked(question, endpoint.model, endpoint.label, parameters)


def request_body(endpoint: Endpoint, asked: Asked, messages: Sequence[Mapping[str, str]]) -> bytes:
    """The request: the shared messages first, byte for byte the same in all of them."""
    prefix = asked.question.prefix
    own = {name: value for name, value in asked.parameters.items() if name not in ("grammar", "form")}
    first = prefix.as_json + ("," if prefix.messages else "")
    settings = compact({"model": endpoint.model, **own})
    form = _form(endpoint, asked)
    text = f'{{"messages":{first}{compact(list(messages))[1:]},{form},{settings[1:]}'
    return text.encode("utf-8", "replace")


def _form(endpoint: Endpoint, asked: Asked) -> str:
    """What binds the server to the form, as it stands in the request."""
    schema = asked.question.form.schema_json
    if endpoint.grammar is not None:
        return f'"grammar":{json.dumps(endpoint.grammar(json.loads(schema)), ensure_ascii=False)}'
    if asked.parameters.get("form") == "words":
        return '"response_format":{"type":"json_object"}'
    named = f'{{"name":"answer","schema":{schema}}}'
    return f'"response_format":{{"type":"json_schema","json_schema":{named}}}'
