"""What the pack's page asks of the real server."""

import json
import urllib.error
import urllib.request

import pytest

from concept_attention.nodes import routes


def ask(client, body):
    request = urllib.request.Request(client.url.rstrip("/") + routes.PROPOSALS, body)
    with urllib.request.urlopen(request) as response:
        return json.loads(response.read())


def test_the_server_tells_the_nouns_of_a_prompt(client):
    body = json.dumps({"prompt": "(red dragon:1.2), oil painting"}).encode()
    assert ask(client, body) == {
        "proposals": [
            {"text": "dragon", "style": False},
            {"text": "oil painting", "style": True},
        ]
    }


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{", "The request is not JSON."),
        (b"\xff\xfe\xff", "The request is not JSON."),
        (b"[]", 'The request must be {"prompt": "a text"}.'),
        (b'{"prompt": 3}', 'The request must be {"prompt": "a text"}.'),
        (b'{"prompt": "%s"}' % (b"a" * 70_000), "at most 65,536 bytes"),
        (iter([b'{"prompt": "a dragon"}']), "must say its length"),
    ],
)
def test_a_bad_request_is_answered_by_a_sentence(client, body, sentence):
    with pytest.raises(urllib.error.HTTPError) as raised:
        ask(client, body)
    with raised.value as error:
        assert error.code == 400
        assert sentence in error.read().decode()


def test_without_a_server_there_is_nothing_to_register():
    routes.register()
