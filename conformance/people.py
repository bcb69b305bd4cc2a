"""Makes what the Crowd clients look at: people with passwords, and a group in a group.

It is no test: nothing but the standard library speaks here, and anything unexpected ends it with an error.
"""

import json
import urllib.parse
import urllib.request

from report import SCENE

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


def ask(method, url, token, body):
    """Asks and gives the JSON that is answered; an error unless the status is 2xx."""
    request = urllib.request.Request(url, json.dumps(body).encode(), method=method)
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or b"null")


def administer(path, body):
    return ask("PATCH", f"{SCENE['url']}/api/v1/{path}", SCENE["admin_token"], body)


def make(endpoint, body):
    return ask("POST", f"{SCENE['scim']}/{endpoint}", SCENE["scim_token"], body)["id"]


def user(name, given, family, active=True):
    return make("Users", {
        "schemas": [USER],
        "userName": name,
        "name": {"givenName": given, "familyName": family},
        "displayName": f"{given} {family}",
        "emails": [{"value": f"{name.split('@')[0]}@example.org", "type": "work", "primary": True}],
        "password": SCENE["password"],
        "active": active,
    })


def group(name, members):
    return make("Groups", {
        "schemas": [GROUP],
        "displayName": name,
        "members": [{"value": member} for member in members],
    })


connector = urllib.parse.quote(SCENE["connector"])
administer(f"connectors/{connector}", {
    "settings": {"accept_passwords": True},
    "rules": {"groups": {"nested_groups": "preserve"}},
})
administer("directories/default", {"local_users": True})
ann = user("ann", "Ann", "Archer")
zoe = user("zoë.o'neil+x@example.org", "Zoë", "O'Neil")
bob = user("bob", "Bob", "Baker", active=False)
crew = group("R&D crew", [ann, zoe])
group("Everybody", [crew, bob])
